/** The segments that have reached a scripted peer and that its script has not taken yet, in order. */
import type { Clock } from '../../clock/index.js';
import type { Segment } from '../../segment/index.js';

export interface Arrived {
  readonly segment: Segment;
  readonly packet: Uint8Array;
  readonly atNs: number;
}

/** A script that lets this many segments lie is not reading them. */
const MOST_WAITING = 100_000;

export class Arrivals {
  readonly #clock: Clock;
  readonly #queue: Arrived[] = [];
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  add(arrived: Arrived): void {
    if (this.#queue.length >= MOST_WAITING) {
      throw new Error(`${MOST_WAITING} segments have reached the peer and its script takes none of them`);
    }
    this.#queue.push(arrived);
    this.#wake?.();
  }

  /** The next segment, or undefined when none has come by `untilNs`. */
  async take(untilNs: number): Promise<Arrived | undefined> {
    if (this.#wake !== undefined) {
      throw new Error('the peer already waits for a segment: await one expectation before the next');
    }
    if (this.#queue.length === 0) await this.#waitUntil(untilNs);
    return this.#queue.shift();
  }

  async #waitUntil(untilNs: number): Promise<void> {
    try {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.at(untilNs, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    } finally {
      this.#wake = undefined;
    }
  }
}
