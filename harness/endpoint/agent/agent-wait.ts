/**
 * One call that may wait in the agent: a request that pends there, the harness's limit to it, and the end of its socket meanwhile.
 * What comes first counts; when the limit is up the request is taken back, and only its answer ends the call.
 */
import { type Clock, NANOS_PER_MS, type Timer } from '../../clock/index.js';
import { SocketError, WaitTimeout } from '../endpoint.js';
import type { AgentLink, Asked } from './agent-link.js';
import { Cancelled } from './agent-replies.js';
import type { ReplyBody, RequestName } from './agent-requests.js';

export interface WaitOptions {
  readonly client: AgentLink;
  readonly clock: Clock;
  readonly call: string;
  /** Absent: the agent answers at once. */
  readonly withinMs?: number | undefined;
}

export class AgentWait<T> {
  readonly settled: Promise<T>;
  readonly #options: WaitOptions;
  readonly #timer: Timer | undefined;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #id = 0;
  #isSettled = false;
  #isTimeUp = false;
  #isEnding = false;

  constructor(options: WaitOptions) {
    this.#options = options;
    const { clock, withinMs } = options;
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (withinMs !== undefined)
      this.#timer = clock.at(clock.now() + withinMs * NANOS_PER_MS, () => this.#timeIsUp());
  }

  /** The limit has passed: what comes now is all that will. */
  get isTimeUp(): boolean {
    return this.#isTimeUp;
  }

  /** Makes a request of this call. `late` gets an answer that comes when the call has ended otherwise. */
  ask<N extends RequestName>(
    name: N,
    asked: Asked<N>,
    on: {
      readonly answered: (body: ReplyBody<N>) => void;
      readonly cancelled?: (taken: number) => void;
      readonly failed?: (error: unknown) => void;
      readonly late?: (body: ReplyBody<N>) => void;
    },
  ): void {
    this.#id = this.#options.client.post(name, asked, {
      answered: (body) => {
        if (this.#isSettled) on.late?.(body);
        else on.answered(body);
      },
      failed: (error) => {
        if (this.#isSettled || (this.#isEnding && isOfClosed(error))) return;
        if (!(error instanceof Cancelled)) (on.failed ?? ((why) => this.fail(why)))(error);
        else if (on.cancelled === undefined) this.timeOut();
        else on.cancelled(error.taken);
      },
    });
  }

  done(value: T): void {
    if (this.#settle()) this.#resolve(value);
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  timeOut(): void {
    this.fail(new WaitTimeout(this.#options.call, this.#options.withinMs ?? 0));
  }

  /** Its socket is being closed: that it fails of it is no news, and `abandon` follows. */
  ending(): void {
    this.#isEnding = true;
  }

  /** Its socket was closed. */
  abandon(): void {
    this.fail(new SocketError('EBADF', this.#options.call, 'this socket was closed meanwhile'));
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#timer?.cancel();
    return true;
  }

  #timeIsUp(): void {
    this.#isTimeUp = true;
    this.#options.client.cancel(this.#id);
  }
}

const isOfClosed = (error: unknown): boolean => error instanceof SocketError && error.errno === 'EBADF';
