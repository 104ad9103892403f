/**
 * Tells when a socket of one side of a virtual lab has changed its state, at that very instant. For as long as somebody wants to hear
 * of it, the side's guest stands still at each moment at which it does something, and its tracepoints are read.
 */
import type { Clock, Nanos } from '../../clock/index.js';
import type { StateChanges } from '../lab.js';

export interface SocketChangesOptions {
  readonly clock: Clock;
  /** Has what happens told, until the returned function is called. */
  readonly attend: () => () => void;
}

export class SocketChanges {
  readonly #options: SocketChangesOptions;
  readonly #followers = new Set<Follower>();

  constructor(options: SocketChangesOptions) {
    this.#options = options;
  }

  follow(): StateChanges {
    const { clock, attend } = this.#options;
    const follower = new Follower(clock, () => {
      if (this.#followers.delete(follower)) leave();
    });
    this.#followers.add(follower);
    const leave = attend();
    return follower;
  }

  /** A socket has changed, or will not any more. */
  happened(): void {
    for (const follower of this.#followers) follower.happened();
  }

  /** Nobody hears of anything from here on. */
  end(): void {
    this.happened();
    for (const follower of [...this.#followers]) follower[Symbol.dispose]();
  }
}

class Follower implements StateChanges {
  #hasNews = false;
  #wake: () => void = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly leave: () => void,
  ) {}

  happened(): void {
    this.#hasNews = true;
    this.#wake();
  }

  async next(untilNs: Nanos): Promise<void> {
    if (!this.#hasNews)
      await new Promise<void>((resolve) => {
        const timer = this.clock.at(untilNs, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    this.#hasNews = false;
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}
