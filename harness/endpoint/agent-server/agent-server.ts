/**
 * An agent in this process: serves the sockets of a stack to whoever asks at the other end of a channel, as docs/agent-protocol.md says.
 * It has no namespaces, no netlink and no files.
 */
import type { Clock } from '../../clock/index.js';
import { eventMask, numberOfState } from '../agent/agent-events.js';
import { type AgentMessage, MessageDecoder, MOST_OCTETS } from '../agent/agent-message.js';
import {
  CAPABILITIES,
  REQUESTS,
  type ReplyBody,
  type RequestBody,
  type RequestName,
  requestOfType,
  TIMERS,
  VERSION,
} from '../agent/agent-requests.js';
import { decodeField, type Field, Malformed } from '../agent/octet-fields.js';
import { type SocketState, Unsupported } from '../endpoint.js';
import type { PolledSocket, PolledStack } from '../polled-socket.js';
import { AnswerQueue, BadRequest, type Origin } from './answer-queue.js';
import { MOST_SOCKETS, ServedSockets } from './served-sockets.js';
import { type CallName, SOCKET_CALLS } from './socket-calls.js';
import type { ServedChannel } from './stream-channel.js';
import { WaitingRoom } from './waiting-room.js';

export interface AgentServerOptions {
  readonly stack: PolledStack;
  readonly channel: ServedChannel;
  /** The stack's own. */
  readonly clock: Clock & { readonly epochNs: bigint };
  /** What the stack runs on, for people. */
  readonly system: string;
  /** Called once, when the channel has ended and all is freed. */
  readonly ended?: (reason: string) => void;
}

const TRANSITIONS = eventMask(['transition']);

const isCall = (name: RequestName): name is CallName => Object.hasOwn(SOCKET_CALLS, name);

export class AgentServer {
  readonly #options: AgentServerOptions;
  readonly #decoder = new MessageDecoder();
  readonly #inbox: AgentMessage[] = [];
  readonly #answers: AnswerQueue;
  readonly #room = new WaitingRoom();
  readonly #sockets: ServedSockets;
  #watchesTransitions = false;
  #isOver = false;

  constructor(options: AgentServerOptions) {
    const { channel, stack, clock } = options;
    this.#options = options;
    this.#answers = new AnswerQueue(channel);
    this.#sockets = new ServedSockets({ clock, answers: this.#answers, room: this.#room });
    stack.observe(({ atNs, ...rest }) => {
      if (!this.#watchesTransitions) return;
      const atMonotonicNs = clock.epochNs + BigInt(Math.round(atNs));
      this.#answers.event(0, { kind: 'transition', transition: { ...rest, atMonotonicNs } });
    });
    channel.onOctets((octets) => this.#take(octets));
    channel.onRoom(() => {
      this.#sockets.dueAll();
      this.#serve();
    });
    channel.onEnd((reason) => this.#end(reason));
  }

  #take(octets: Uint8Array): void {
    if (this.#isOver) return;
    try {
      for (const message of this.#decoder.take(octets)) this.#inbox.push(message);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      // Nothing behind it can be understood.
      this.#end(error.message);
      this.#answers.flush();
      this.#options.channel.close();
      return;
    }
    this.#serve();
  }

  #serve(): void {
    while (!this.#isOver && this.#answers.makeRoom()) {
      const message = this.#inbox.shift();
      if (message === undefined) return;
      this.#answer(message);
    }
  }

  #answer({ type, id, handle, payload }: AgentMessage): void {
    const origin = { type, id, handle };
    try {
      const name = requestOfType(type);
      if (name === undefined) throw new Unsupported(`there is no request of type ${type}`);
      if (isCall(name)) this.#call(name, origin, payload);
      else this.#request(name, origin, payload);
    } catch (error) {
      this.#answers.failed(origin, error);
    }
  }

  #call<N extends CallName>(name: N, origin: Origin, payload: Uint8Array): void {
    const { socket } = this.#sockets.get(origin.handle);
    const call = SOCKET_CALLS[name] as (socket: PolledSocket, body: RequestBody<N>) => ReplyBody<N>;
    this.#answers.done(name, origin, call(socket, read(name, payload)));
  }

  #request(name: Exclude<RequestName, CallName>, origin: Origin, payload: Uint8Array): void {
    const answers = this.#answers;
    switch (name) {
      case 'HELLO':
        answers.done(name, origin, this.#hello(read(name, payload)));
        break;
      case 'SOCKET':
        answers.done(name, origin, {}, this.#make(read(name, payload)));
        break;
      case 'CANCEL':
        answers.done(name, origin, { wasWaiting: this.#room.cancel(read(name, payload).id) });
        break;
      case 'SOCKETS':
        read(name, payload);
        answers.done(name, origin, { sockets: this.#options.stack.sockets().map(rowOf) });
        break;
      case 'WATCH':
        this.#watch(origin.handle, read(name, payload).events);
        answers.done(name, origin, {});
        break;
      default:
        this.#socketRequest(name, origin, payload);
    }
  }

  /** Those that may wait, and those that end what waits. */
  #socketRequest(name: Exclude<RequestName, CallName>, origin: Origin, payload: Uint8Array): void {
    const answers = this.#answers;
    const { handle } = origin;
    switch (name) {
      case 'CONNECT':
        answers.done(name, origin, this.#sockets.get(handle).connect(read(name, payload)));
        break;
      case 'ESTABLISHED':
        read(name, payload);
        this.#sockets.get(handle).established(origin);
        break;
      case 'ACCEPT':
        read(name, payload);
        this.#sockets.get(handle).accept(origin);
        break;
      case 'SEND':
        this.#sockets.get(handle).send(origin, read(name, payload));
        break;
      case 'RECEIVE':
        this.#sockets.get(handle).receive(origin, read(name, payload));
        break;
      case 'CLOSE':
        read(name, payload);
        this.#sockets.close(handle, () => answers.done(name, origin, {}));
        break;
      case 'ABORT':
        read(name, payload);
        this.#sockets.abort(handle);
        answers.done(name, origin, {});
        break;
      default:
        throw new Unsupported('this agent drives sockets, and has no namespaces, no netlink and no files');
    }
  }

  #hello({ lowest, highest }: RequestBody<'HELLO'>): ReplyBody<'HELLO'> {
    if (lowest > VERSION || highest < VERSION)
      throw new Unsupported(`this agent speaks version ${VERSION} of the protocol only`);
    const { tcpInfo, sockets, stateEvents, transitions } = CAPABILITIES;
    return {
      version: VERSION,
      capabilities: tcpInfo | sockets | stateEvents | transitions,
      mostOctets: MOST_OCTETS,
      mostSockets: MOST_SOCKETS,
      stack: this.#options.stack.name,
      system: this.#options.system,
    };
  }

  #make({ family, namespace }: RequestBody<'SOCKET'>): number {
    if (family !== 4 && family !== 6) throw new BadRequest('the family is 4 or 6');
    if (namespace !== 0) throw new BadRequest('the handle is no namespace’s');
    return this.#sockets.make(() => this.#options.stack.socket(family));
  }

  #watch(handle: number, mask: number): void {
    if (handle !== 0) this.#sockets.get(handle).watch(mask);
    else if ((mask & ~TRANSITIONS) !== 0) throw new BadRequest('of all sockets there are transitions only');
    else this.#watchesTransitions = mask !== 0;
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watchesTransitions = false;
    this.#sockets.abortAll();
    this.#options.ended?.(reason);
  }
}

/** The payload; throws `Malformed` where it is none of this request. */
const read = <N extends RequestName>(name: N, payload: Uint8Array): RequestBody<N> =>
  decodeField(REQUESTS[name].request as Field<RequestBody<N>>, payload);

const rowOf = ({ state, local, remote, recvQueueOctets, sendQueueOctets, timer }: SocketState) => ({
  state: numberOfState(state),
  local,
  remote,
  recvOctets: recvQueueOctets,
  sendOctets: sendQueueOctets,
  timer: timer === undefined ? 0 : TIMERS.indexOf(timer.name) + 1,
  remainsMs: Math.round(timer?.remainsMs ?? 0),
  retransmits: timer?.retransmits ?? 0,
});
