/**
 * Where urgent data stands in a stream, as socket programs know it: RFC 9293's urgent pointer marks one octet, which RECEIVE with OOB
 * takes out of the stream unless SO_OOBINLINE leaves it there. Positions count octets of the stream from where the program began.
 */
export class UrgentMark {
  #at: number | undefined;
  #isTaken = false;

  /** The last octet of the urgent data stands at this position. Later urgent data replaces earlier. */
  told(at: number): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#isTaken = false;
  }

  /** The program has come to this position: a mark before it is of the past. */
  passed(position: number): void {
    if (this.#at !== undefined && this.#at < position) this.#at = undefined;
  }

  /** OOB has taken the octet. */
  take(): void {
    this.#isTaken = true;
  }

  /** How many octets from `position` the octet stands; undefined: there is none ahead. */
  aheadOf(position: number): number | undefined {
    return this.#at === undefined ? undefined : this.#at - position;
  }

  /** There is an urgent octet, here or to come, that nobody has taken. */
  get isFresh(): boolean {
    return this.#at !== undefined && !this.#isTaken;
  }
}
