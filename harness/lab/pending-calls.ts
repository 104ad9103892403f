/** Calls to a thread that wait for their answers. While one does the thread keeps the process running: it must not end before the answer. */
import type { Worker } from 'node:worker_threads';

interface Pending<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class PendingCalls<T> {
  readonly #worker: Pick<Worker, 'ref' | 'unref'>;
  readonly #pending = new Map<number, Pending<T>>();
  #made = 0;

  constructor(worker: Pick<Worker, 'ref' | 'unref'>) {
    this.#worker = worker;
  }

  /** `post` sends the call, under the number that its answer will bear. */
  make(post: (call: number) => void): Promise<T> {
    this.#made += 1;
    const call = this.#made;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject });
      if (this.#pending.size === 1) this.#worker.ref();
      post(call);
    });
  }

  resolve(call: number, value: T): void {
    this.#settle(call)?.resolve(value);
  }

  reject(call: number, error: Error): void {
    this.#settle(call)?.reject(error);
  }

  /** The thread is gone, or will answer no more. */
  rejectAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #settle(call: number): Pending<T> | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (this.#pending.size === 0) this.#worker.unref();
    return pending;
  }
}
