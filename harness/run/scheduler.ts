/**
 * Starts what was selected side by side, up to a limit. A TIME-WAIT of 60 s is 60 s of waiting, not of work, so the
 * longest timers start first and the whole takes little more than the longest of them.
 */
import type { RunOptions } from './play-in-lab.js';
import { runScenario, type ScenarioRun } from './run-scenario.js';
import type { IpVersion, Scenario } from './scenario.js';

export interface Selected {
  readonly scenario: Scenario;
  readonly ipVersion: IpVersion;
}

/** More labs at once than this gain nothing: they would wait for the processor and not for their timers. */
export const DEFAULT_JOBS = 48;

export const keyOf = ({ scenario, ipVersion }: Selected): string => `${scenario.id} ipv${ipVersion}`;

export class Scheduler {
  readonly #runs = new Map<string, Promise<ScenarioRun>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(
    private readonly options: Omit<RunOptions, 'ipVersion'> & {
      readonly jobs?: number;
      readonly finished?: (run: ScenarioRun) => void;
    },
  ) {}

  /** Starts all that have not been started, the longest first. */
  start(selected: readonly Selected[]): void {
    const longestFirst = [...selected].sort((a, b) => durationOf(b) - durationOf(a));
    for (const one of longestFirst) this.result(one);
  }

  /** The run of a scenario; starts it if nobody has. */
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

  async #run({ scenario, ipVersion }: Selected): Promise<ScenarioRun> {
    await this.#turn();
    try {
      const run = await runScenario(scenario, { ...this.options, ipVersion });
      this.options.finished?.(run);
      return run;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= (this.options.jobs ?? DEFAULT_JOBS))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }
}

const durationOf = ({ scenario }: Selected): number => scenario.longestTimer?.ms ?? 0;
