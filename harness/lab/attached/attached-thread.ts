/** The main thread's side of the thread of an attached wire: one for each wire. It never keeps the process from ending, and ends with it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { check, libc, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../sys/index.js';
import type { Report } from '../netns/thread/protocol.js';
import { PendingCalls } from '../pending-calls.js';
import { atExit } from './at-exit.js';
import type {
  AttachedCommand,
  AttachedRequest,
  AttachedThreadOptions,
  AttachedValue,
} from './thread/protocol.js';
import type { AttachedReport, OnReports } from './wire-host.js';

const ENDING = -1;

export class AttachedThread {
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #posted = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending: PendingCalls<AttachedValue>;
  readonly #onReports: OnReports;
  readonly #ended: Promise<void>;
  #failure: Error | undefined;
  readonly #endAtExit: Disposable;

  constructor(options: Omit<AttachedThreadOptions, 'wakeFd' | 'posted' | 'mayWatch'>, onReports: OnReports) {
    this.#onReports = onReports;
    this.#wakeFd = check(libc.eventfd(0, SOCK_NONBLOCK | SOCK_CLOEXEC), 'eventfd');
    const workerData: AttachedThreadOptions = {
      ...options,
      wakeFd: this.#wakeFd,
      posted: this.#posted,
      mayWatch: availableParallelism() > 1,
    };
    this.#worker = new Worker(new URL('./thread/worker.js', import.meta.url), { workerData, execArgv: [] });
    this.#pending = new PendingCalls(this.#worker);
    this.#worker.on('message', (reports: readonly Report[]) => this.#take(reports));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#fail(new Error(`the wire's thread ended (${code})`));
        resolve();
      });
    });
    this.#worker.unref();
    this.#endAtExit = atExit(() => this.#end());
  }

  request(request: AttachedRequest): Promise<AttachedValue> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#pending.make((call) => this.#post({ call, request }));
  }

  /** A packet of the scripted peer. */
  peerPacket(packet: Uint8Array): void {
    if (this.#failure === undefined) this.#post({ peerPacket: packet });
  }

  #post(command: AttachedCommand): void {
    this.#worker.postMessage(command);
    Atomics.add(this.#posted, 0, 1);
    this.#wake();
  }

  /** Ends the thread: the queue is nobody's then. */
  async close(): Promise<void> {
    this.#endAtExit[Symbol.dispose]();
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

  #take(reports: readonly Report[]): void {
    const news: AttachedReport[] = [];
    for (const report of reports) {
      if (report.kind === 'answer') this.#pending.resolve(report.call, report.value);
      else if (report.kind === 'refused') this.#pending.reject(report.call, new Error(report.message));
      else news.push(report);
    }
    // In this turn still: whoever has been answered knows what was before the answer.
    if (news.length > 0) this.#onReports(news);
  }

  #fail(error: Error): void {
    const isNews = this.#failure === undefined;
    this.#failure ??= error;
    this.#pending.rejectAll(this.#failure);
    if (isNews) this.#onReports([{ kind: 'failed', lab: 'all', message: error.message }]);
  }
}
