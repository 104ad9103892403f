/** The time-out of `socket.setTimeout`: runs while nothing is read or written, and keeps no process running. */

export class IdleTimer {
  readonly #onTimeout: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ms = 0;

  constructor(onTimeout: () => void) {
    this.#onTimeout = onTimeout;
  }

  get ms(): number {
    return this.#ms;
  }

  /** 0: never. */
  set(ms: number): void {
    this.stop();
    this.#ms = ms;
    if (ms > 0) this.#timer = setTimeout(this.#onTimeout, ms).unref();
  }

  /** Something was read or written. */
  refresh(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
