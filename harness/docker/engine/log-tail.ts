/** The last lines that a container said, kept for when it is gone and its engine has forgotten them. */

const MOST_OCTETS = 64 * 1024;

export class LogTail {
  readonly #pieces: Buffer[] = [];
  #octets = 0;

  add(octets: Buffer): void {
    // A copy: the chunk that it is a part of may be large.
    this.#pieces.push(Buffer.from(octets.subarray(-MOST_OCTETS)));
    this.#octets += Math.min(octets.length, MOST_OCTETS);
    while (this.#octets - (this.#pieces[0]?.length ?? 0) >= MOST_OCTETS)
      this.#octets -= this.#pieces.shift()?.length ?? 0;
  }

  /** The last so many lines of what was kept. */
  text(lines = Number.POSITIVE_INFINITY): string {
    const all = Buffer.concat(this.#pieces).toString('utf8').trimEnd().split('\n');
    return all.slice(Number.isFinite(lines) ? -lines : 0).join('\n');
  }
}
