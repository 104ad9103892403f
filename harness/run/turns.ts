/** Lets so many in at once; the others wait in a row. */
export class Turns {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a turn. What it gives ends the turn; calling that again changes nothing. */
  async take(): Promise<() => void> {
    if (this.#taken >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      // The turn goes on to the next in the row, so that nobody comes between.
      if (next === undefined) this.#taken -= 1;
      else next();
    };
  }
}
