/** The answering side of the agent protocol: replies and events as messages, in order; those of one turn leave together. */

import { type AgentEvent, encodeEvent } from '../agent/agent-events.js';
import {
  EVENT_TYPE,
  encodeMessage,
  HEADER_OCTETS,
  MOST_OCTETS,
  REPLY_BIT,
  Status,
} from '../agent/agent-message.js';
import {
  REQUESTS,
  type ReplyBody,
  type RequestName,
  sentence,
  stackError,
  takenSoFar,
} from '../agent/agent-requests.js';
import { encodeField, type Field, Malformed } from '../agent/octet-fields.js';
import { SocketError, Unsupported } from '../endpoint.js';
import type { ServedChannel } from './stream-channel.js';

/** Whom a reply answers. */
export interface Origin {
  readonly type: number;
  readonly id: number;
  readonly handle: number;
}

/** A request that makes no sense. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** So much leaves before more is begun. */
const HIGH_OCTETS = 1 << 20;

export class AnswerQueue {
  readonly #channel: Pick<ServedChannel, 'send' | 'isFull'>;
  #parts: Uint8Array[] = [];
  #octets = 0;

  constructor(channel: Pick<ServedChannel, 'send' | 'isFull'>) {
    this.#channel = channel;
  }

  /** Whether more may be begun; what there is goes first. Where it says no, the channel will tell when it has room. */
  makeRoom(): boolean {
    if (this.#octets >= HIGH_OCTETS) this.flush();
    return !this.#channel.isFull;
  }

  done<N extends RequestName>(name: N, to: Origin, body: ReplyBody<N>, handle = to.handle): void {
    const payload = encodeField(REQUESTS[name].reply as Field<ReplyBody<N>>, body);
    if (payload.length > MOST_OCTETS - HEADER_OCTETS)
      this.#reply(to, Status.stackError, encodeField(stackError, { errno: 'EMSGSIZE', detail: '' }));
    else this.#reply({ ...to, handle }, Status.ok, payload);
  }

  /** What a call threw. Anything but what callers can mend is a mistake of ours: it is thrown on. */
  failed(to: Origin, error: unknown): void {
    if (error instanceof SocketError) {
      const { errno, detail = '' } = error;
      this.#reply(to, Status.stackError, encodeField(stackError, { errno, detail }));
    } else if (error instanceof Unsupported) {
      this.#reply(to, Status.unsupported, encodeField(sentence, { sentence: error.message }));
    } else if (error instanceof BadRequest || error instanceof Malformed) {
      this.#reply(to, Status.badRequest, encodeField(sentence, { sentence: error.message }));
    } else throw error;
  }

  /** `taken`: octets, of a SEND. */
  cancelled(to: Origin, taken?: number): void {
    const payload = taken === undefined ? new Uint8Array() : encodeField(takenSoFar, { octets: taken });
    this.#reply(to, Status.cancelled, payload);
  }

  event(handle: number, event: AgentEvent): void {
    this.#put(encodeMessage({ type: EVENT_TYPE, status: 0, id: 0, handle, payload: encodeEvent(event) }));
  }

  #reply({ type, id, handle }: Origin, status: number, payload: Uint8Array): void {
    this.#put(encodeMessage({ type: (type | REPLY_BIT) & 0xffff, status, id, handle, payload }));
  }

  #put(message: Uint8Array): void {
    if (this.#parts.length === 0) queueMicrotask(() => this.flush());
    this.#parts.push(message);
    this.#octets += message.length;
  }

  flush(): void {
    if (this.#parts.length === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#octets = 0;
    const [only] = parts;
    this.#channel.send(
      only !== undefined && parts.length === 1 ? only : new Uint8Array(Buffer.concat(parts)),
    );
  }
}
