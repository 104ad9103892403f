/** Calls due at given times, kept in order: the inside of a clock. It knows no time itself. */
import type { Nanos, Timer } from './clock.js';

interface Entry {
  readonly atNs: Nanos;
  /** Calls of equal time happen in the order in which they were asked for. */
  readonly order: number;
  action: (() => void) | undefined;
}

const isBefore = (a: Entry, b: Entry): boolean => a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);

export class TimerQueue {
  /** A binary heap. Cancelled entries stay until they come to the top. */
  readonly #heap: Entry[] = [];
  #asked = 0;

  at(atNs: Nanos, action: () => void): Timer {
    this.#asked += 1;
    const entry: Entry = { atNs, order: this.#asked, action };
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    return {
      cancel() {
        entry.action = undefined;
      },
    };
  }

  /** When the next call is due. */
  nextNs(): Nanos | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.action !== undefined) return top.atNs;
      this.#pop();
    }
    return undefined;
  }

  /** Makes the calls that are due by `nowNs`, those asked for meanwhile included. The number of calls made. */
  runDue(nowNs: Nanos): number {
    let made = 0;
    for (let next = this.nextNs(); next !== undefined && next <= nowNs; next = this.nextNs()) {
      const entry = this.#pop();
      const action = entry?.action;
      if (entry !== undefined) entry.action = undefined;
      action?.();
      made += 1;
    }
    return made;
  }

  #pop(): Entry | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && last !== top) {
      this.#heap[0] = last;
      this.#sink();
    }
    return top;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const leftEntry = this.#heap[left];
      const rightEntry = this.#heap[left + 1];
      if (leftEntry === undefined) return;
      const child = rightEntry !== undefined && isBefore(rightEntry, leftEntry) ? left + 1 : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const low = this.#heap[child];
    const high = this.#heap[parent];
    if (low === undefined || high === undefined || !isBefore(low, high)) return false;
    this.#heap[child] = high;
    this.#heap[parent] = low;
    return true;
  }
}
