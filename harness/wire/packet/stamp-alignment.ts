/**
 * Brings the kernel's receive stamps (CLOCK_REALTIME) onto CLOCK_MONOTONIC. The distance of the two is measured by
 * reading one between two readings of the other, again and again, since the wall clock is steered while we run.
 */
import { CLOCK_REALTIME, check, libc } from '../../sys/index.js';

const NANOS_PER_SECOND = 1_000_000_000;
/** Readings for one measurement; the narrowest counts. */
const READINGS = 8;
/** The wall clock is steered by 500 ppm at most (adjtimex): 50 µs in this time. */
const REMEASURE_NS = 100_000_000;

export class StampAlignment {
  readonly #timespec = new Uint8Array(16);
  readonly #view = new DataView(this.#timespec.buffer);
  readonly #now: () => number;
  /** Seconds that are taken off wall-clock times, so that nanoseconds fit a number exactly. */
  readonly #baseSec: number;
  /** What is added to a wall-clock time for the time of `now`. */
  #offsetNs = 0;
  #measuredNs = 0;
  /** How far a stamp may be off: half of the narrowest reading, the largest of all measurements so far. */
  #errorNs = 0;

  /** `now` is the monotonic time to bring stamps onto. */
  constructor(now: () => number) {
    this.#now = now;
    this.#baseSec = Math.floor(Date.now() / 1000);
    this.measure();
  }

  get errorNs(): number {
    return this.#errorNs;
  }

  /** The wall-clock time at time 0 of `now`, in nanoseconds since 1970. */
  get epochUnixNs(): bigint {
    return BigInt(this.#baseSec) * BigInt(NANOS_PER_SECOND) - BigInt(this.#offsetNs);
  }

  measure(): void {
    let narrowestNs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < READINGS; i += 1) {
      const beforeNs = this.#now();
      check(libc.clockGettime(CLOCK_REALTIME, this.#timespec), 'clock_gettime');
      const afterNs = this.#now();
      if (afterNs - beforeNs >= narrowestNs) continue;
      narrowestNs = afterNs - beforeNs;
      this.#offsetNs = Math.round((beforeNs + afterNs) / 2) - this.#sinceBase(this.#seconds(), this.#nanos());
    }
    this.#measuredNs = this.#now();
    this.#errorNs = Math.max(this.#errorNs, Math.ceil(narrowestNs / 2));
  }

  /** The monotonic time of a stamp, at `nowNs`: never later than that, for it lies in the past. */
  toMonotonicNs(unixSec: number, nsec: number, nowNs: number): number {
    if (nowNs - this.#measuredNs > REMEASURE_NS) this.measure();
    const atNs = this.#sinceBase(unixSec, nsec) + this.#offsetNs;
    if (atNs <= nowNs) return atNs;
    // In the future: the wall clock was set since the last measurement.
    this.measure();
    return Math.min(this.#sinceBase(unixSec, nsec) + this.#offsetNs, nowNs);
  }

  #sinceBase(unixSec: number, nsec: number): number {
    return (unixSec - this.#baseSec) * NANOS_PER_SECOND + nsec;
  }

  #seconds(): number {
    return Number(this.#view.getBigInt64(0, true));
  }

  #nanos(): number {
    return Number(this.#view.getBigInt64(8, true));
  }
}
