/** The machine's monotonic clock as the stack's. Its timers keep no process running, and come up to a millisecond late. */
import type { StackClock, StackTimer } from '../host/index.js';

const NANOS_PER_MS = 1e6;
const LONGEST_MS = 2 ** 31 - 1;
/** A program that does much in one go must not stop the time. */
const MOST_USES = 64;

export class RealClock implements StackClock {
  readonly #beginNs = process.hrtime.bigint();
  readonly #beforeTimer: () => void;
  #nowNs = 0;
  /** How often the time that was read may still be told. */
  #uses = 0;
  readonly #outdate = (): void => {
    this.#uses = 0;
  };

  /**
   * `beforeTimer` is called when a timer has run out: after a busy moment of the program what came meanwhile must be looked at
   * first, or what it acknowledges would be sent again.
   */
  constructor(beforeTimer: () => void = () => {}) {
    this.#beforeTimer = beforeTimer;
  }

  /** Read once for what is done in one go: a batch of packets asks a thousand times. */
  now(): number {
    if (this.#uses === 0) {
      this.#nowNs = Number(process.hrtime.bigint() - this.#beginNs);
      this.#uses = MOST_USES;
      queueMicrotask(this.#outdate);
    }
    this.#uses -= 1;
    return this.#nowNs;
  }

  at(atNs: number, action: () => void): StackTimer {
    let isCancelled = false;
    const ms = Math.min(Math.max(Math.ceil((atNs - this.now()) / NANOS_PER_MS), 0), LONGEST_MS);
    const timer = setTimeout(() => {
      this.#beforeTimer();
      // What came may have made it needless.
      if (!isCancelled) action();
    }, ms).unref();
    return {
      cancel: () => {
        isCancelled = true;
        clearTimeout(timer);
      },
    };
  }
}
