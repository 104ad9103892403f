/**
 * Octets of a stream in a ring that grows as it is needed, up to a limit of its owner's. Places are counted from the first octet
 * that is still kept, so both queues of a connection can be written and read anywhere: data that came early, data sent again.
 */
import { giveOctets, takeOctets } from './octet-pool.js';

const LEAST_OCTETS = 2048;
const NOTHING = new Uint8Array(0);

export class OctetRing {
  #octets: Uint8Array = NOTHING;
  #start = 0;
  /** What it grows to at once when it is used again: half of what it had before. */
  #usual = LEAST_OCTETS;

  /** Memory taken, in octets. */
  get capacity(): number {
    return this.#octets.length;
  }

  /** Writes at `at`; `used` octets from the front are in use and are kept when the ring grows. */
  write(at: number, data: Uint8Array, used: number): void {
    this.#grow(at + data.length, used);
    const size = this.#octets.length;
    const from = (this.#start + at) & (size - 1);
    const first = Math.min(data.length, size - from);
    if (first === data.length) this.#octets.set(data, from);
    else {
      this.#octets.set(data.subarray(0, first), from);
      this.#octets.set(data.subarray(first), 0);
    }
  }

  /** A copy of `length` octets at `at`, which must have been written. */
  read(at: number, length: number): Uint8Array {
    const size = this.#octets.length;
    const from = (this.#start + at) & (size - 1);
    const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    if (from + length <= size) {
      copy.set(this.#octets.subarray(from, from + length));
      return copy;
    }
    copy.set(this.#octets.subarray(from, size));
    copy.set(this.#octets.subarray(0, length - (size - from)), size - from);
    return copy;
  }

  /** As `read`, but what is returned may be the ring's own: it holds until the ring is used again. */
  view(at: number, length: number): Uint8Array {
    const size = this.#octets.length;
    const from = (this.#start + at) & (size - 1);
    return from + length <= size ? this.#octets.subarray(from, from + length) : this.read(at, length);
  }

  /** Forgets octets at the front; `left` are in use behind them. An empty ring gives its memory back. */
  drop(octets: number, left: number): void {
    if (left === 0) {
      this.#usual = Math.max(this.#octets.length / 2, LEAST_OCTETS);
      giveOctets(this.#octets);
      this.#octets = NOTHING;
      this.#start = 0;
    } else this.#start = (this.#start + octets) & (this.#octets.length - 1);
  }

  clone(): OctetRing {
    const copy = new OctetRing();
    copy.#octets = this.#octets.slice();
    copy.#start = this.#start;
    copy.#usual = this.#usual;
    return copy;
  }

  #grow(needed: number, used: number): void {
    const size = this.#octets.length;
    if (needed <= size) return;
    let larger = Math.max(size, this.#usual);
    while (larger < needed) larger *= 2;
    const octets = takeOctets(larger);
    const kept = Math.min(used, size);
    if (kept > 0) {
      const first = Math.min(kept, size - this.#start);
      octets.set(this.#octets.subarray(this.#start, this.#start + first));
      octets.set(this.#octets.subarray(0, kept - first), first);
    }
    giveOctets(this.#octets);
    this.#octets = octets;
    this.#start = 0;
  }
}
