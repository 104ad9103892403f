/** Shows how far the build of a kernel is: one line that changes on a terminal, a line each ten percent elsewhere. */
import { humanTime } from '../text/index.js';
import type { Step } from '../uml/index.js';

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Ten percent, in lines of a log; each percent on a terminal. */
const GRAIN = { log: 10, terminal: 1 } as const;
const CLEAR_LINE = '\r\u001b[K';

export class BuildProgress {
  readonly #startedMs = performance.now();
  readonly #subject: string;
  readonly #screen: Screen;
  readonly #columns: number;
  #shown = '';

  constructor(subject: string, screen: Screen) {
    this.#subject = subject;
    this.#screen = screen;
    this.#columns = screen.columns ?? 80;
  }

  readonly show = ({ doing, percent }: Step): void => {
    const isLive = this.#screen.isTTY === true;
    const grain = isLive ? GRAIN.terminal : GRAIN.log;
    const coarse = percent === undefined ? '' : ` ${Math.floor(percent / grain) * grain} %`;
    const shown = `${this.#subject}: ${doing}${coarse}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const line = `${shown}  (${this.elapsed()})`;
    // The last column stays free: some terminals would go to the next line.
    this.#screen.write(isLive ? `${CLEAR_LINE}${line.slice(0, this.#columns - 1)}` : `${line}\n`);
  };

  /** Wipes the line that changes. */
  end(): void {
    if (this.#screen.isTTY === true && this.#shown !== '') this.#screen.write(CLEAR_LINE);
  }

  readonly elapsed = (): string => humanTime(performance.now() - this.#startedMs);
}
