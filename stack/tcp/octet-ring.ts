/**
 * Octets of a stream in a ring that grows as it is needed, up to a limit of its owner's. Places are counted from the first octet
 * that is still kept, so both queues of a connection can be written and read anywhere: data that came early, data sent again.
 */

const LEAST_OCTETS = 2048;
const NOTHING = new Uint8Array(0);

export class OctetRing {
  #octets: Uint8Array = NOTHING;
  #start = 0;

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
    if (from + length <= size) return this.#octets.slice(from, from + length);
    const copy = new Uint8Array(length);
    copy.set(this.#octets.subarray(from, size));
    copy.set(this.#octets.subarray(0, length - (size - from)), size - from);
    return copy;
  }

  /** Forgets octets at the front; `left` are in use behind them. An empty ring gives its memory back. */
  drop(octets: number, left: number): void {
    if (left === 0) {
      this.#octets = NOTHING;
      this.#start = 0;
    } else this.#start = (this.#start + octets) & (this.#octets.length - 1);
  }

  clone(): OctetRing {
    const copy = new OctetRing();
    copy.#octets = this.#octets.slice();
    copy.#start = this.#start;
    return copy;
  }

  #grow(needed: number, used: number): void {
    const size = this.#octets.length;
    if (needed <= size) return;
    let larger = Math.max(size, LEAST_OCTETS);
    while (larger < needed) larger *= 2;
    const octets = new Uint8Array(larger);
    if (used > 0) octets.set(this.read(0, Math.min(used, size)));
    this.#octets = octets;
    this.#start = 0;
  }
}
