/**
 * Starts what was selected side by side, up to a limit. A TIME-WAIT of 60 s is 60 s of waiting, not of work, so the
 * longest timers start first and the whole takes little more than the longest of them.
 */
import { messageOf } from '../text/index.js';
import { heldAgainst, type KnownDeviation } from './known-deviations.js';
import type { PlayOutcome, RunOptions } from './play-in-lab.js';
import { runScenario, type ScenarioRun } from './run-scenario.js';
import type { IpVersion, Scenario } from './scenario.js';
import { Turns } from './turns.js';

export interface Selected {
  readonly scenario: Scenario;
  readonly ipVersion: IpVersion;
  /** Why it cannot be played here: its run is `unsupported` with this reason, and no lab is opened. */
  readonly unplayable?: string;
  /** What its stacks are known to do otherwise: its run is held against this. */
  readonly known?: readonly KnownDeviation[];
}

/** More labs at once than this gain nothing: they would wait for the processor and not for their timers. */
export const DEFAULT_JOBS = 48;

export const keyOf = ({ scenario, ipVersion }: Selected): string => `${scenario.id} ipv${ipVersion}`;

/**
 * Of these, so many may be in their opening bustle: handshakes of fifty labs at once would wait for the processor for
 * hundreds of milliseconds, the stacks would measure that as round trips, and their timers would follow.
 */
export const STARTING_AT_ONCE = 4;

export interface SchedulerOptions extends Omit<RunOptions, 'ipVersion' | 'settled'> {
  readonly jobs?: number;
  /** Called as each scenario ends. */
  readonly finished?: (run: ScenarioRun) => void;
  /** What runs a scenario; `runScenario` unless told otherwise. */
  readonly run?: typeof runScenario;
}

export class Scheduler {
  readonly #runs = new Map<string, Promise<ScenarioRun>>();
  readonly #jobs: Turns;
  readonly #starts = new Turns(STARTING_AT_ONCE);

  constructor(private readonly options: SchedulerOptions) {
    this.#jobs = new Turns(options.jobs ?? DEFAULT_JOBS);
  }

  /** Starts all that have not been started, the longest first. */
  start(selected: readonly Selected[]): void {
    const longestFirst = [...selected].sort((a, b) => durationOf(b) - durationOf(a));
    for (const one of longestFirst) this.result(one);
  }

  /** The run of a scenario; starts it if nobody has. Whatever goes wrong is its outcome. */
  result(selected: Selected): Promise<ScenarioRun> {
    const key = keyOf(selected);
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    const run = this.#run(selected);
    this.#runs.set(key, run);
    return run;
  }

  all(): Promise<readonly ScenarioRun[]> {
    return Promise.all(this.#runs.values());
  }

  async #run(selected: Selected): Promise<ScenarioRun> {
    if (selected.unplayable !== undefined) {
      const run = runWithoutLab(selected, { kind: 'unsupported', reason: selected.unplayable });
      this.options.finished?.(run);
      return run;
    }
    const jobEnds = await this.#jobs.take();
    const settled = await this.#starts.take();
    try {
      const run = await this.#attempt(selected, settled);
      this.options.finished?.(run);
      return run;
    } finally {
      settled();
      jobEnds();
    }
  }

  async #attempt(selected: Selected, settled: () => void): Promise<ScenarioRun> {
    const { scenario, ipVersion, known = [] } = selected;
    const startedMs = performance.now();
    try {
      const run = this.options.run ?? runScenario;
      return heldAgainst(await run(scenario, { ...this.options, ipVersion, settled }), known);
    } catch (error) {
      // Anything that nobody foresaw concerns one scenario: the others go on.
      const outcome = { kind: 'error', reason: messageOf(error) } as const;
      return runWithoutLab(selected, outcome, performance.now() - startedMs);
    }
  }
}

/** A run of which there is no trace. */
function runWithoutLab(
  { scenario, ipVersion }: Selected,
  outcome: Exclude<PlayOutcome, { kind: 'played' }>,
  realMs = 0,
): ScenarioRun {
  return { scenario, ipVersion, outcome, results: [], verdict: outcome.kind, realMs };
}

const durationOf = ({ scenario }: Selected): number => scenario.longestTimer?.ms ?? 0;
