/**
 * How long to watch for the next packet before going to sleep. To be woken costs more than most answers take to come, so
 * it pays to stay awake; but not where the answering thread waits for our core, as it does when others keep the rest busy.
 * So it grows while packets come in time, and shrinks while they do not.
 */
import type { Nanos } from '../../../clock/index.js';

const LONGEST_NS = 60_000;
const SHORTEST_NS = 2_000;

export class Patience {
  #ns: Nanos;
  readonly #mayWatch: boolean;
  #watchedNs: Nanos = 0;

  /** `mayWatch` is false where there is but one core: nobody could answer while we watch. */
  constructor({ mayWatch }: { readonly mayWatch: boolean }) {
    this.#mayWatch = mayWatch;
    this.#ns = mayWatch ? LONGEST_NS : 0;
  }

  /** Something came, after so long a watch. */
  paidOff(): void {
    if (this.#watchedNs > 0 && this.#mayWatch) this.#ns = Math.min(LONGEST_NS, this.#ns * 2);
    this.#watchedNs = 0;
  }

  /** Whether to watch on, when nothing has come for `idleNs`. */
  lasts(idleNs: Nanos): boolean {
    if (idleNs < this.#ns) {
      this.#watchedNs = idleNs;
      return true;
    }
    if (this.#mayWatch) this.#ns = Math.max(SHORTEST_NS, this.#ns / 2);
    this.#watchedNs = 0;
    return false;
  }
}
