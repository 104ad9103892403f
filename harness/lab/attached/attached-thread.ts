/** The main thread's side of the thread of an attached wire: one for each wire. It never keeps the process from ending, and ends with it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { check, libc, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../sys/index.js';
import type { Report } from '../netns/thread/protocol.js';
import { unpackRecords } from '../netns/thread/record-pack.js';
import type {
  AttachedCommand,
  AttachedRequest,
  AttachedThreadOptions,
  AttachedValue,
} from './thread/protocol.js';

const ENDING = -1;

export type AttachedReport = Exclude<Report, { readonly kind: 'answer' | 'refused' | 'packed' | 'to-peer' }>;

interface Pending {
  resolve(value: AttachedValue): void;
  reject(error: Error): void;
}

export class AttachedThread {
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #posted = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  readonly #onReport: (report: AttachedReport) => void;
  readonly #ended: Promise<void>;
  #calls = 0;
  #failure: Error | undefined;
  readonly #endAtExit = () => this.#end();

  constructor(
    options: Omit<AttachedThreadOptions, 'wakeFd' | 'posted' | 'mayWatch'>,
    onReport: (report: AttachedReport) => void,
  ) {
    this.#onReport = onReport;
    this.#wakeFd = check(libc.eventfd(0, SOCK_NONBLOCK | SOCK_CLOEXEC), 'eventfd');
    const workerData: AttachedThreadOptions = {
      ...options,
      wakeFd: this.#wakeFd,
      posted: this.#posted,
      mayWatch: availableParallelism() > 1,
    };
    this.#worker = new Worker(new URL('./thread/worker.js', import.meta.url), { workerData, execArgv: [] });
    this.#worker.on('message', (reports: readonly Report[]) => {
      for (const report of reports) this.#take(report);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#fail(new Error(`the wire's thread ended (${code})`));
        resolve();
      });
    });
    this.#worker.unref();
    process.once('exit', this.#endAtExit);
  }

  request(request: AttachedRequest): Promise<AttachedValue> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject });
      if (this.#pending.size === 1) this.#worker.ref();
      this.#worker.postMessage({ call, request } satisfies AttachedCommand);
      Atomics.add(this.#posted, 0, 1);
      this.#wake();
    });
  }

  /** Ends the thread: the queue is nobody's then. */
  async close(): Promise<void> {
    process.removeListener('exit', this.#endAtExit);
    this.#failure ??= new Error('the wire was closed');
    this.#worker.ref();
    this.#end();
    await this.#ended;
    libc.close(this.#wakeFd);
  }

  #end(): void {
    Atomics.store(this.#posted, 0, ENDING);
    this.#wake();
  }

  #wake(): void {
    libc.write(this.#wakeFd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8);
  }

  #take(report: Report): void {
    switch (report.kind) {
      case 'answer':
        this.#settle(report.call)?.resolve(report.value);
        return;
      case 'refused':
        this.#settle(report.call)?.reject(new Error(report.message));
        return;
      case 'packed':
        unpackRecords(report.records, (lab, record) => this.#onReport({ kind: 'arrived', lab, record }));
        return;
      case 'to-peer':
        throw new TypeError(`an attached wire has no report ${report.kind}`);
      default:
        this.#onReport(report);
    }
  }

  #settle(call: number): Pending | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (this.#pending.size === 0) this.#worker.unref();
    return pending;
  }

  #fail(error: Error): void {
    const isNews = this.#failure === undefined;
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
    if (isNews) this.#onReport({ kind: 'failed', lab: 'all', message: error.message });
  }
}
