/**
 * Plays scenarios on threads of their own, one for each core: a virtual lab keeps its thread busy, since nothing in it waits. A story
 * cannot be sent to another thread, so each loads the module that has the scenarios, and is told their ids.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { VirtualStacks } from '../lab/index.js';
import type { RunOptions } from './play-in-lab.js';
import type { ScenarioRun } from './run-scenario.js';
import type { Scenario } from './scenario.js';

export interface PoolOptions {
  /** The module whose export `allScenarios` has every scenario that will be played. */
  readonly module: URL;
  readonly stacks: VirtualStacks;
  /** Threads at most (default: as many as there are cores). */
  readonly threads?: number;
}

/** What a thread is told to do. */
export interface PoolTask {
  readonly number: number;
  readonly id: string;
  readonly ipVersion: RunOptions['ipVersion'];
  readonly untilClosed: boolean;
}

/** What came of it. */
export type PoolAnswer =
  | { readonly number: number; readonly run: Omit<ScenarioRun, 'scenario'> }
  | { readonly number: number; readonly error: string };

/** A thread that has been told to end and does not is ended by force: its guests go with it in any case. */
const ENDS_WITHIN_MS = 5000;

interface Waiting {
  readonly scenario: Scenario;
  readonly resolve: (run: ScenarioRun) => void;
  readonly reject: (error: Error) => void;
}

class PoolThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #given = 0;
  isOver = false;

  constructor({ module, stacks }: PoolOptions, processor: number) {
    this.#worker = new Worker(new URL('./scenario-pool-thread.js', import.meta.url), {
      workerData: { module: module.href, stacks, processor },
    });
    this.#worker.on('message', (answer: PoolAnswer) => this.#take(answer));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that played it has ended')));
    this.#worker.unref();
  }

  get load(): number {
    return this.#waiting.size;
  }

  play(scenario: Scenario, options: Pick<RunOptions, 'ipVersion' | 'untilClosed'>): Promise<ScenarioRun> {
    this.#given += 1;
    const { ipVersion, untilClosed = false } = options;
    const task: PoolTask = { number: this.#given, id: scenario.id, ipVersion, untilClosed };
    // Waiting for its answer is what keeps the process alive, not the thread.
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(task.number, { scenario, resolve, reject });
      this.#worker.postMessage(task);
    });
  }

  /** Resolves when it has ended; nothing is left of its guests then. */
  async end(): Promise<void> {
    if (this.isOver) return;
    // Otherwise the process might end while it waits for nothing but this.
    this.#worker.ref();
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    const force = setTimeout(() => void this.#worker.terminate(), ENDS_WITHIN_MS);
    this.#worker.postMessage('end');
    await ended;
    clearTimeout(force);
  }

  #take(answer: PoolAnswer): void {
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (waiting === undefined) return;
    if ('run' in answer) waiting.resolve({ ...answer.run, scenario: waiting.scenario });
    else waiting.reject(new Error(answer.error));
  }

  #fail(error: Error): void {
    this.isOver = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

export class ScenarioPool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #threads: PoolThread[] = [];
  readonly #most: number;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#most = options.threads ?? availableParallelism();
  }

  /** For `SchedulerOptions.run`: on the thread that has least to do. Rejects only when the thread itself breaks. */
  readonly run = (scenario: Scenario, options: RunOptions): Promise<ScenarioRun> =>
    this.#thread().play(scenario, options);

  #thread(): PoolThread {
    const living = this.#threads.filter(({ isOver }) => !isOver);
    const idlest = living.toSorted((a, b) => a.load - b.load)[0];
    if (idlest !== undefined && (idlest.load === 0 || living.length >= this.#most)) return idlest;
    const thread = new PoolThread(this.#options, this.#threads.length);
    this.#threads.push(thread);
    return thread;
  }

  /** Ends the threads, and their guests with them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}
