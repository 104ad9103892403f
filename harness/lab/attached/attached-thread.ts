/** The main thread's side of the thread of an attached wire: one for each wire. It never keeps the process from ending, and ends with it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { check, libc, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../sys/index.js';
import type { Report } from '../netns/thread/protocol.js';
import { unpackRecords } from '../netns/thread/record-pack.js';
import { PendingCalls } from '../pending-calls.js';
import type {
  AttachedCommand,
  AttachedRequest,
  AttachedThreadOptions,
  AttachedValue,
} from './thread/protocol.js';

const ENDING = -1;

export type AttachedReport = Exclude<Report, { readonly kind: 'answer' | 'refused' | 'packed' | 'to-peer' }>;

export class AttachedThread {
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #posted = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending: PendingCalls<AttachedValue>;
  readonly #onReport: (report: AttachedReport) => void;
  readonly #ended: Promise<void>;
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
    this.#pending = new PendingCalls(this.#worker);
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
    return this.#pending.make((call) => {
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
        this.#pending.resolve(report.call, report.value);
        return;
      case 'refused':
        this.#pending.reject(report.call, new Error(report.message));
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

  #fail(error: Error): void {
    const isNews = this.#failure === undefined;
    this.#failure ??= error;
    this.#pending.rejectAll(this.#failure);
    if (isNews) this.#onReport({ kind: 'failed', lab: 'all', message: error.message });
  }
}
