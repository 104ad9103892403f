/** The requests that wait at one socket: each kind is served in order, and waits for none of the others. */
import { SocketError } from '../endpoint.js';
import { type AnswerQueue, BadRequest, type Origin } from './answer-queue.js';
import type { WaitingRoom } from './waiting-room.js';

export const WAITING_KINDS = ['opening', 'accepting', 'sending', 'receiving', 'urgent'] as const;
export type WaitingKind = (typeof WAITING_KINDS)[number];

export interface WaitingRequest {
  readonly origin: Origin;
  readonly call: string;
  /** False: an attempt throws EAGAIN rather than say "not yet". */
  readonly mayWait: boolean;
  /** Octets that are kept for it. */
  readonly octets: number;
  /** Answers, or says false: not yet. Throws what else ends it. */
  attempt(): boolean;
  /** Octets that a SEND has handed over; undefined for all others. */
  taken(): number | undefined;
}

export class RequestQueues {
  readonly #answers: AnswerQueue;
  readonly #room: WaitingRoom;
  readonly #queues = new Map<WaitingKind, WaitingRequest[]>(WAITING_KINDS.map((kind) => [kind, []]));

  constructor(answers: AnswerQueue, room: WaitingRoom) {
    this.#answers = answers;
    this.#room = room;
  }

  begin(kind: WaitingKind, request: WaitingRequest): void {
    const { origin, call, mayWait, octets } = request;
    const queue = this.#queue(kind);
    if (this.#room.has(origin.id))
      throw new BadRequest(`the id ${origin.id} is that of a request that waits`);
    if (queue.length === 0) {
      if (this.#isAnswered(request)) return;
    } else if (!mayWait) throw new SocketError('EAGAIN', call, 'another request waits before it');
    const cancel = (): void => {
      queue.splice(queue.indexOf(request), 1);
      this.#room.leave(origin.id);
      this.#answers.cancelled(origin, request.taken());
    };
    if (!this.#room.enter(origin.id, octets, cancel))
      throw new SocketError('ENOBUFS', call, 'too many requests wait');
    queue.push(request);
  }

  /** Something has happened: answers those whose time has come. */
  serve(): void {
    for (const queue of this.#queues.values())
      for (let first = queue[0]; first !== undefined && this.#answers.makeRoom(); first = queue[0]) {
        if (!this.#isAnswered(first)) break;
        queue.shift();
        this.#room.leave(first.origin.id);
      }
  }

  /** Their socket is closed. */
  end(): void {
    for (const queue of this.#queues.values())
      for (const { origin, call } of queue.splice(0)) {
        this.#room.leave(origin.id);
        this.#answers.failed(origin, new SocketError('EBADF', call, 'closed meanwhile'));
      }
  }

  #queue(kind: WaitingKind): WaitingRequest[] {
    const queue = this.#queues.get(kind);
    if (queue === undefined) throw new Error(`there is no queue of requests that are ${kind}`);
    return queue;
  }

  #isAnswered(request: WaitingRequest): boolean {
    try {
      return request.attempt();
    } catch (error) {
      this.#answers.failed(request.origin, error);
      return true;
    }
  }
}
