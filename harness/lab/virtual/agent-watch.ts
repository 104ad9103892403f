/**
 * Finds out that a guest's agent answers no more, though its kernel lives: it has ended, or waits for ever. An agent answers at the
 * virtual time at which it is asked, but for calls that wait; so where something is unanswered for long, it is asked for a sign of life.
 */
import { type Clock, NANOS_PER_SECOND, type Timer } from '../../clock/index.js';

/** The longest that a guest runs alone: waiting so long costs the least, some milliseconds of real time. */
const LOOKS_AFTER_NS = 600 * NANOS_PER_SECOND;

export interface AgentWatchOptions {
  readonly clock: Clock;
  /** Something that it was asked is unanswered. */
  readonly isWaiting: () => boolean;
  /** Asks for a sign of life: resolves when it has come. */
  readonly ask: () => Promise<unknown>;
  /** Called once, when none has come. */
  readonly silent: () => void;
}

export class AgentWatch implements Disposable {
  readonly #options: AgentWatchOptions;
  #timer: Timer | undefined;
  #isAsking = false;
  #isOver = false;

  constructor(options: AgentWatchOptions) {
    this.#options = options;
  }

  /** The agent was asked something. */
  asked(): void {
    if (this.#timer !== undefined || this.#isOver) return;
    const { clock } = this.#options;
    this.#timer = clock.at(clock.now() + LOOKS_AFTER_NS, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const { isWaiting, ask, silent } = this.#options;
    if (!isWaiting()) return;
    if (this.#isAsking) {
      this[Symbol.dispose]();
      silent();
      return;
    }
    this.#isAsking = true;
    ask().then(
      () => {
        this.#isAsking = false;
      },
      // It is gone: whoever ended it says so.
      () => {},
    );
    this.asked();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
