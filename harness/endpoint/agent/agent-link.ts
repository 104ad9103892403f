/**
 * The harness's end of a channel to an agent: requests out, replies to whoever asked, in the turn in which they come. Requests made in one
 * turn leave together. It knows no sockets and no clock.
 */
import { messageOf } from '../../text/index.js';
import type { AgentChannel } from './agent-channel.js';
import { type AgentEvent, decodeEvent, eventMask } from './agent-events.js';
import { AgentGone } from './agent-gone.js';
import {
  type AgentMessage,
  EVENT_TYPE,
  encodeMessage,
  HEADER_OCTETS,
  MessageDecoder,
  MOST_OCTETS,
  REPLY_BIT,
} from './agent-message.js';
import { type CallName, replyBody } from './agent-replies.js';
import { REQUESTS, type ReplyBody, type RequestBody, type RequestName } from './agent-requests.js';
import { encodeField, type Field, Malformed } from './octet-fields.js';

export interface Asked<N extends RequestName> {
  /** Of the socket, namespace or file; 0 where there is none. */
  readonly handle?: number;
  readonly body: RequestBody<N>;
  /** How errors name the call; the request's name where absent. */
  readonly as?: CallName;
}

/** Called once, in the turn in which the reply comes. */
export interface Settle<N extends RequestName> {
  answered(body: ReplyBody<N>, handle: number): void;
  /** SocketError, Unsupported, Cancelled, AgentGone, or a plain error for a request that the agent calls bad. */
  failed(error: unknown): void;
}

/** What stands before the data of a request or a reply, besides the header, has no more octets. */
const FIXED_OCTETS = 8;

export class AgentLink {
  readonly #channel: AgentChannel;
  readonly #decoder = new MessageDecoder();
  readonly #pending = new Map<
    number,
    { readonly type: number; readonly settle: (reply: AgentMessage | AgentGone) => void }
  >();
  readonly #watchers = new Map<number, (event: AgentEvent) => void>();
  readonly #asked: (name: RequestName) => void;
  #outbox: Uint8Array[] = [];
  #lastId = 0;
  #mostOctets = MOST_OCTETS;
  #gone: AgentGone | undefined;

  /** `asked` is told of each request when it is made. */
  constructor(channel: AgentChannel, asked: (name: RequestName) => void = () => {}) {
    this.#channel = channel;
    this.#asked = asked;
    channel.onOctets((octets) => this.#take(octets));
    channel.onEnd((reason) => this.#end(reason));
  }

  /** Something that was asked is unanswered. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** Most octets of data in one SEND, RECEIVE, READ or WRITE: what its message has room for. */
  get mostData(): number {
    return this.#mostOctets - HEADER_OCTETS - FIXED_OCTETS;
  }

  /** The agent takes no longer messages than this. */
  protected limitMessages(mostOctets: number): void {
    this.#mostOctets = Math.min(MOST_OCTETS, mostOctets);
  }

  /** Queues a request, and says with which id, for `cancel`. */
  post<N extends RequestName>(name: N, { handle = 0, body, as }: Asked<N>, settle: Settle<N>): number {
    if (this.#gone !== undefined) {
      const gone = this.#gone;
      queueMicrotask(() => settle.failed(gone));
      return 0;
    }
    const { type, request } = REQUESTS[name];
    const payload = encodeField(request as Field<RequestBody<N>>, body);
    const id = this.#freeId();
    const octets = encodeMessage({ type, status: 0, id, handle, payload });
    const called = as ?? { call: name.toLowerCase() };
    this.#pending.set(id, { type, settle: (reply) => settleWith(name, reply, called, settle) });
    if (this.#outbox.length === 0) queueMicrotask(() => this.flush());
    this.#outbox.push(octets);
    this.#asked(name);
    return id;
  }

  /** Makes a request; rejects as `Settle.failed` says. */
  request<N extends RequestName>(
    name: N,
    asked: Asked<N>,
  ): Promise<ReplyBody<N> & { readonly handle: number }> {
    return new Promise((resolve, reject) => {
      this.post(name, asked, {
        answered: (body, handle) => resolve({ ...body, handle }),
        failed: reject,
      });
    });
  }

  /** Takes a waiting request back. It is answered in any case: with what came of it, or as `Cancelled`. */
  cancel(id: number): void {
    if (!this.#pending.has(id)) return;
    this.post('CANCEL', { body: { id } }, { answered: () => {}, failed: () => {} });
    this.flush();
  }

  /** Sends what this turn has queued now: for callers that may not wait for the end of the turn, such as timers. */
  flush(): void {
    if (this.#outbox.length === 0 || this.#gone !== undefined) return;
    const parts = this.#outbox;
    this.#outbox = [];
    const [only] = parts;
    this.#channel.send(
      only !== undefined && parts.length === 1 ? only : new Uint8Array(Buffer.concat(parts)),
    );
  }

  /** Ends the channel; what is pending rejects with `AgentGone`. */
  close(): void {
    this.#end('the harness has closed the way to it');
    this.#channel.close();
  }

  /** Tells what becomes so of a socket, from now on; no kinds: no more. */
  async watch(
    socket: number,
    kinds: readonly AgentEvent['kind'][],
    receive: (event: AgentEvent) => void,
  ): Promise<void> {
    if (kinds.length === 0) this.#watchers.delete(socket);
    else this.#watchers.set(socket, receive);
    await this.request('WATCH', { handle: socket, body: { events: eventMask(kinds) } });
  }

  #freeId(): number {
    do {
      this.#lastId = this.#lastId >= 0xffff_ffff ? 1 : this.#lastId + 1;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #take(octets: Uint8Array): void {
    const messages = this.#decoder.take(octets);
    while (this.#gone === undefined) {
      const handOver = this.#next(messages);
      if (handOver === undefined) return;
      handOver();
    }
  }

  /** Whom the next message is for. What makes no sense ends the channel: nothing behind it can be trusted. */
  #next(messages: Iterator<AgentMessage>): (() => void) | undefined {
    try {
      const { done, value } = messages.next();
      return done ? undefined : this.#receiverOf(value);
    } catch (error) {
      this.#end(messageOf(error));
      this.#channel.close();
      return undefined;
    }
  }

  #receiverOf(message: AgentMessage): () => void {
    const { type, id, handle } = message;
    if (type === EVENT_TYPE) {
      const event = decodeEvent(message);
      return () => this.#watchers.get(handle)?.(event);
    }
    const pending = this.#pending.get(id);
    if (pending === undefined || type !== (pending.type | REPLY_BIT))
      throw new Malformed(`it answers a request that was not made: type ${type}, id ${id}`);
    this.#pending.delete(id);
    return () => pending.settle(message);
  }

  #end(reason: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = new AgentGone(reason);
    const all = [...this.#pending.values()];
    this.#pending.clear();
    this.#watchers.clear();
    for (const { settle } of all) settle(this.#gone);
  }
}

function settleWith<N extends RequestName>(
  name: N,
  reply: AgentMessage | AgentGone,
  as: CallName,
  settle: Settle<N>,
): void {
  if (reply instanceof AgentGone) {
    settle.failed(reply);
    return;
  }
  let body: ReplyBody<N>;
  try {
    body = replyBody(name, reply, as);
  } catch (error) {
    settle.failed(error);
    return;
  }
  settle.answered(body, reply.handle);
}
