/** Time that passes only when nothing is left to be done at an instant. What is due at the same time runs in the order of its making. */
import type { StackClock, StackTimer } from '../host/index.js';

interface Due {
  readonly atNs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

const isBefore = (a: Due, b: Due): boolean => a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);

export class VirtualClock implements StackClock {
  /** A binary heap: the next is the first. */
  readonly #heap: Due[] = [];
  #nowNs = 0;
  #made = 0;

  now(): number {
    return this.#nowNs;
  }

  /** Things that are still to happen, cancelled ones among them. */
  get pending(): number {
    return this.#heap.length;
  }

  at(atNs: number, action: () => void): StackTimer {
    this.#made += 1;
    const due: Due = { atNs: Math.max(atNs, this.#nowNs), order: this.#made, action };
    this.#push(due);
    return {
      cancel: () => {
        due.action = undefined;
      },
    };
  }

  /** Lets the next thing happen. False: there is none, or none until then. */
  step(untilNs = Number.POSITIVE_INFINITY): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.atNs <= untilNs; next = this.#heap[0]) {
      this.#pop();
      const { action } = next;
      if (action === undefined) continue;
      this.#nowNs = next.atNs;
      action();
      return true;
    }
    return false;
  }

  /** Lets all happen that happens until then. */
  run(untilNs = Number.POSITIVE_INFINITY): void {
    while (this.step(untilNs));
    if (untilNs !== Number.POSITIVE_INFINITY) this.#nowNs = Math.max(this.#nowNs, untilNs);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(due, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, left)) child += 1;
      const smaller = heap[child];
      if (smaller === undefined || !isBefore(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}
