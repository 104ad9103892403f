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

/** All that is being made, when each is made or has failed: what others have made is not left to come later. Throws the first failure. */
export async function together<T extends readonly unknown[]>(
  making: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  for (const each of await Promise.allSettled(making)) if (each.status === 'rejected') throw each.reason;
  return (await Promise.all(making)) as unknown as T; // its types forget the tuple
}
