/**
 * The main thread's side of the thread of the project's own TCP. It starts with the first lab that has such a stack, never keeps the process
 * from ending, and ends with it.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import type { Clock } from '../../clock/index.js';
import { type CallLog, type Endpoint, remoteOwnEndpoint, resultOf } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import { PendingCalls } from '../pending-calls.js';
import type {
  OpenOwnSide,
  OwnCommand,
  OwnReport,
  OwnRequest,
  OwnThreadOptions,
  Reported,
} from './own-thread/protocol.js';

type Answer = (OwnReport & { kind: 'answer' })['answer'];

export interface OwnEndOptions extends OpenOwnSide {
  readonly lab: number;
  readonly side: Side;
  readonly clock: Clock;
  readonly log: CallLog;
  /** The stack has made a mistake, or its thread is gone. */
  readonly failed: (error: Error) => void;
}

export class OwnThread {
  readonly #worker: Worker;
  readonly #pending: PendingCalls<Answer>;
  readonly #failed = new Map<number, (error: Error) => void>();
  #failure: Error | undefined;

  constructor(options: OwnThreadOptions) {
    const { wire } = options;
    // Without our own execArgv: what a test runner loads into each thread has no business there.
    this.#worker = new Worker(new URL('./own-thread/worker.js', import.meta.url), {
      workerData: options,
      transferList: [wire as MessagePort],
      execArgv: [],
    });
    this.#pending = new PendingCalls(this.#worker);
    this.#worker.on('message', (report: OwnReport) => this.#take(report));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the stack's thread ended (${code})`)));
    this.#worker.unref();
  }

  get isOver(): boolean {
    return this.#failure !== undefined;
  }

  /** A side of a lab. Rejects with `Unsupported` for settings that the stack cannot have. */
  async open(options: OwnEndOptions): Promise<OwnEnd> {
    const { lab, side, ip, mtu, settings, epochNs } = options;
    const forget = () => void this.#failed.delete(lab);
    const ask = (request: OwnRequest) => this.#ask(lab, side, request);
    this.#failed.set(lab, options.failed);
    try {
      resultOf(await ask({ kind: 'open', options: { ip, mtu, settings, epochNs } }));
    } catch (error) {
      forget();
      throw error;
    }
    return new OwnEnd(options, { ask, forget });
  }

  #ask(lab: number, side: Side, request: OwnRequest): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#pending.make((call) =>
      this.#worker.postMessage({ lab, side, call, request } satisfies OwnCommand),
    );
  }

  #take(report: OwnReport): void {
    if (report.kind === 'failed') {
      this.#failed.get(report.lab)?.(new Error(report.message));
      return;
    }
    this.#pending.resolve(report.call, report.answer);
  }

  /** The thread is gone: all that wait hear of it. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#pending.rejectAll(error);
    for (const failed of this.#failed.values()) failed(error);
  }
}

interface Way {
  ask(request: OwnRequest): Promise<Answer>;
  /** Nobody waits for news of this lab any more. */
  forget(): void;
}

/** A side of one lab. */
export class OwnEnd implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #way: Way;

  constructor({ side, ip, clock, log }: OwnEndOptions, way: Way) {
    this.#way = way;
    this.endpoint = remoteOwnEndpoint({
      side,
      ip,
      clock,
      log,
      ask: (call) => way.ask({ kind: 'socket-call', call }),
    });
  }

  async reported(): Promise<Reported> {
    // The thread answers each request with its own kind of value.
    return resultOf(await this.#way.ask({ kind: 'seen' })) as Reported;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.endpoint[Symbol.asyncDispose]();
      resultOf(await this.#way.ask({ kind: 'close' }));
    } finally {
      this.#way.forget();
    }
  }
}
