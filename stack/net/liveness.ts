/** What keeps the process running: sockets and servers that somebody waits for, as handles do in Node. */

export class Liveness {
  readonly #held = new Set<object>();
  readonly #changed: (isHeld: boolean) => void;

  /** `changed` is called when the first one comes and when the last one goes. */
  constructor(changed: (isHeld: boolean) => void = () => {}) {
    this.#changed = changed;
  }

  hold(thing: object): void {
    this.#held.add(thing);
    if (this.#held.size === 1) this.#changed(true);
  }

  release(thing: object): void {
    if (this.#held.delete(thing) && this.#held.size === 0) this.#changed(false);
  }
}
