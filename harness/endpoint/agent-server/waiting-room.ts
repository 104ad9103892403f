/** All requests that wait, by their ids, for CANCEL; with a limit, for whoever asks may ask without end. */
const MOST_REQUESTS = 65_536;
const MOST_OCTETS = 16 << 20;

export class WaitingRoom {
  readonly #waiting = new Map<number, { readonly octets: number; readonly cancel: () => void }>();
  #octets = 0;

  has(id: number): boolean {
    return this.#waiting.has(id);
  }

  /** False: there is no room for one more that keeps so many octets. */
  enter(id: number, octets: number, cancel: () => void): boolean {
    if (this.#waiting.size >= MOST_REQUESTS || octets > MOST_OCTETS - this.#octets) return false;
    this.#waiting.set(id, { octets, cancel });
    this.#octets += octets;
    return true;
  }

  leave(id: number): void {
    this.#octets -= this.#waiting.get(id)?.octets ?? 0;
    this.#waiting.delete(id);
  }

  /** Whether it waited; it has then been answered and has left. */
  cancel(id: number): boolean {
    const found = this.#waiting.get(id);
    found?.cancel();
    return found !== undefined;
  }
}
