/** The time on the wire's thread, and the clocks of the labs that share it. */
import { type Clock, type Nanos, type Timer, TimerQueue } from '../../../clock/index.js';

export class ThreadClock {
  readonly timers = new TimerQueue();
  readonly now: () => Nanos;

  /** `epochNs` is the CLOCK_MONOTONIC time from which it counts. */
  constructor(readonly epochNs: bigint) {
    this.now = () => Number(process.hrtime.bigint() - epochNs);
  }
}

/** A lab's clock: it counts from an epoch of its own and keeps its calls in the thread's queue. */
export class LabClock implements Clock {
  readonly #thread: ThreadClock;
  readonly #offsetNs: number;

  constructor(thread: ThreadClock, epochNs: bigint) {
    this.#thread = thread;
    this.#offsetNs = Number(epochNs - thread.epochNs);
  }

  now(): Nanos {
    return this.#thread.now() - this.#offsetNs;
  }

  at(atNs: Nanos, action: () => void): Timer {
    return this.#thread.timers.at(atNs + this.#offsetNs, action);
  }

  /** A time of the thread's clock as this clock's. */
  fromThread(atNs: Nanos): Nanos {
    return atNs - this.#offsetNs;
  }
}
