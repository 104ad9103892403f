/**
 * How long to watch for the next packet before going to sleep. To be woken costs more than most answers take to come, so
 * it pays to stay awake; but not where the answering thread waits for our core, as it does when others keep the rest busy.
 * So after each watch in vain more sleeps begin at once, until one watch pays off again.
 */
import type { Nanos } from '../../../clock/index.js';

const LONG_NS = 150_000;
const SHORT_NS = 2_000;
const MOST_SKIPPED = 32;

export class Patience {
  readonly #mayWatch: boolean;
  /** Sleeps that begin at once, after the last watch in vain and from now on. */
  #skipped = 0;
  #toSkip = 0;
  #isWatching = false;

  /** `mayWatch` is false where there is but one core: nobody could answer while we watch. */
  constructor({ mayWatch }: { readonly mayWatch: boolean }) {
    this.#mayWatch = mayWatch;
  }

  /** Something came. */
  paidOff(): void {
    if (this.#isWatching) this.#skipped = 0;
    this.#isWatching = false;
  }

  /** Whether to watch on, when nothing has come for `idleNs`. */
  lasts(idleNs: Nanos): boolean {
    if (!this.#mayWatch) return false;
    if (idleNs < SHORT_NS) return true;
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return false;
    }
    this.#isWatching = idleNs < LONG_NS;
    if (this.#isWatching) return true;
    this.#skipped = Math.min(MOST_SKIPPED, Math.max(1, this.#skipped * 2));
    this.#toSkip = this.#skipped;
    return false;
  }
}
