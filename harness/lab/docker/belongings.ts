/** What has to be freed together, the latest first. Node 20 has no AsyncDisposableStack yet. */
export class Belongings implements AsyncDisposable {
  #all: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(made: T): T {
    this.#all.push(made);
    return made;
  }

  /** From here on they are another's to free. */
  move(): Belongings {
    const moved = new Belongings();
    moved.#all = this.#all;
    this.#all = [];
    return moved;
  }

  /** Frees all, whatever goes wrong with one; throws the first failure. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (let made = this.#all.pop(); made !== undefined; made = this.#all.pop()) {
      try {
        await made[Symbol.asyncDispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
