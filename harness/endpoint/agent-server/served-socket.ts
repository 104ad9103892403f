/** A socket that is driven over the agent protocol: the requests that wait at it, and the events that it is watched for. */
import { type AgentEvent, EVENT_KINDS, eventMask } from '../agent/agent-events.js';
import { HEADER_OCTETS, MOST_OCTETS } from '../agent/agent-message.js';
import { MESSAGE_FLAGS, type RequestBody } from '../agent/agent-requests.js';
import { type Address, SocketError } from '../endpoint.js';
import type { Lingering, PolledAccepted, PolledSocket } from '../polled-socket.js';
import type { TcpState } from '../tcp-state.js';
import { type AnswerQueue, BadRequest, type Origin } from './answer-queue.js';
import { RequestQueues } from './request-queues.js';
import type { WaitingRoom } from './waiting-room.js';

export interface ServedSocketOptions {
  readonly handle: number;
  readonly socket: PolledSocket;
  readonly answers: AnswerQueue;
  readonly room: WaitingRoom;
  /** It came from a listener. */
  readonly isAccepted: boolean;
  /** Takes over what was accepted; its handle. Throws EMFILE before, where there is no room for one. */
  readonly adopt: (
    accept: () => PolledAccepted | undefined,
  ) => { handle: number; accepted: PolledAccepted } | undefined;
}

type Opening =
  | { readonly kind: 'none' | 'begun' | 'open' }
  | { readonly kind: 'failed'; readonly error: SocketError };

const MOST_RECEIVED = MOST_OCTETS - HEADER_OCTETS - 1;
/** All but the transitions, which are no single socket's. */
const WATCHABLE = eventMask(['acceptable', 'readable', 'end', 'error', 'state']);

export class ServedSocket {
  readonly socket: PolledSocket;
  readonly #options: ServedSocketOptions;
  readonly #queues: RequestQueues;
  #opening: Opening;
  #watched = 0;
  /** Events that have been said and are still so. */
  #said = 0;
  #stateSaid: TcpState | undefined;
  #isDue = false;
  #isOver = false;

  constructor(options: ServedSocketOptions) {
    this.#options = options;
    this.socket = options.socket;
    this.#queues = new RequestQueues(options.answers, options.room);
    this.#opening = { kind: options.isAccepted ? 'open' : 'none' };
    this.socket.onChange(() => this.due());
  }

  /** Has it looked at when this step is over: not within, for what the stack does in one go is one happening. */
  due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (!this.#isOver) this.#look();
    });
  }

  #look(): void {
    this.#queues.serve();
    if (this.#watched !== 0) this.#sayEvents();
  }

  // Requests that may wait

  connect({ address }: RequestBody<'CONNECT'>): { readonly local: Address } {
    try {
      this.socket.connect(address);
    } catch (error) {
      if (this.#opening.kind === 'none' && error instanceof SocketError)
        this.#opening = { kind: 'failed', error };
      throw error;
    }
    this.#opening = { kind: 'begun' };
    return { local: this.socket.localAddress() };
  }

  established(origin: Origin): void {
    this.#begin('opening', origin, 'connect', () => {
      if (!this.#isOpeningOver()) return false;
      if (this.#opening.kind === 'failed') throw this.#opening.error;
      if (this.#opening.kind === 'none') throw new SocketError('ENOTCONN', 'connect');
      this.#options.answers.done('ESTABLISHED', origin, { local: this.socket.localAddress() });
      return true;
    });
  }

  #isOpeningOver(): boolean {
    if (this.#opening.kind !== 'begun') return true;
    try {
      if (this.socket.established() === undefined) return false;
      this.#opening = { kind: 'open' };
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#opening = { kind: 'failed', error };
    }
    return true;
  }

  accept(origin: Origin): void {
    const { adopt, answers } = this.#options;
    this.#begin('accepting', origin, 'accept', () => {
      const adopted = adopt(() => this.socket.tryAccept());
      if (adopted === undefined) return false;
      const { handle, accepted } = adopted;
      const { local, remote } = accepted;
      answers.done('ACCEPT', origin, { socket: handle, local, remote });
      return true;
    });
  }

  send(origin: Origin, { flags, data }: RequestBody<'SEND'>): void {
    const has = flagsOf(flags);
    const options = { isUrgent: has('OOB'), hasMore: has('MORE') };
    let sent = 0;
    this.#queues.begin('sending', {
      origin,
      call: 'send',
      mayWait: !has('DONTWAIT'),
      octets: data.length,
      taken: () => sent,
      attempt: () => {
        const taken = this.socket.trySend(data.subarray(sent), options);
        sent += taken ?? 0;
        const isAll = taken !== undefined && sent === data.length;
        if (!isAll && !has('DONTWAIT')) return false;
        if (!isAll && sent === 0) throw new SocketError('EAGAIN', 'send');
        this.#options.answers.done('SEND', origin, { octets: sent });
        return true;
      },
    });
  }

  receive(origin: Origin, { most, flags }: RequestBody<'RECEIVE'>): void {
    const has = flagsOf(flags);
    if (most === 0) throw new BadRequest('at least one octet must be asked for');
    const options = { isUrgent: has('OOB'), isPeek: has('PEEK'), mayWait: !has('DONTWAIT') };
    const attempt = (): boolean => {
      const received = this.socket.tryReceive(Math.min(most, MOST_RECEIVED), options);
      if (received === undefined) return false;
      const isEnd = received.kind === 'end';
      const data = received.kind === 'end' ? new Uint8Array() : received.data;
      this.#options.answers.done('RECEIVE', origin, { isEnd, data });
      return true;
    };
    this.#begin(options.isUrgent ? 'urgent' : 'receiving', origin, 'receive', attempt, options.mayWait);
  }

  #begin(
    kind: 'opening' | 'accepting' | 'receiving' | 'urgent',
    origin: Origin,
    call: string,
    attempt: () => boolean,
    mayWait = true,
  ): void {
    this.#queues.begin(kind, { origin, call, mayWait, octets: 0, attempt, taken: () => undefined });
  }

  // Its end

  /** Undefined: it is over. */
  close(): Lingering | undefined {
    this.#end();
    return this.socket.close();
  }

  abort(): void {
    this.#end();
    this.socket.abort();
  }

  #end(): void {
    this.#isOver = true;
    this.#queues.end();
  }

  // Events

  watch(mask: number): void {
    if ((mask & ~WATCHABLE) !== 0) throw new BadRequest('there are no such events of a socket');
    this.#watched = mask;
    this.#said = 0;
    this.#stateSaid = undefined;
  }

  #sayEvents(): void {
    const { socket } = this;
    const { readable, peerClosed } = socket.poll();
    const state = socket.state();
    const errno = socket.pendingError;
    const events: AgentEvent[] = [];
    if (readable) events.push({ kind: state === 'LISTEN' ? 'acceptable' : 'readable' });
    if (peerClosed) events.push({ kind: 'end' });
    if (errno !== undefined) events.push({ kind: 'error', errno });
    this.#said &= eventMask(events.map(({ kind }) => kind));
    for (const event of events) this.#say(event);
    if (state !== this.#stateSaid && (this.#watched & eventMask(['state'])) !== 0) {
      this.#stateSaid = state;
      this.#options.answers.event(this.#options.handle, { kind: 'state', state });
    }
  }

  #say(event: AgentEvent): void {
    const bit = 1 << EVENT_KINDS.indexOf(event.kind);
    if ((this.#watched & ~this.#said & bit) === 0) return;
    this.#said |= bit;
    this.#options.answers.event(this.#options.handle, event);
  }
}

const ALL_FLAGS = Object.values(MESSAGE_FLAGS).reduce((bits, each) => bits | each, 0);

function flagsOf(bits: number): (flag: keyof typeof MESSAGE_FLAGS) => boolean {
  if ((bits & ~ALL_FLAGS) !== 0) throw new BadRequest('there are no such flags');
  return (flag) => (bits & MESSAGE_FLAGS[flag]) !== 0;
}
