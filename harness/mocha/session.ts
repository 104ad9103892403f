/**
 * One conformance session of a mocha process: the suites declare their scenarios while they load, those that the
 * runner's grep leaves are then started together, and each `it` awaits the trace it judges.
 */
import {
  type Filter,
  type RunOptions,
  type Scenario,
  type ScenarioRun,
  Scheduler,
  type SchedulerOptions,
  type Selected,
  select,
} from '../run/index.js';

export interface SessionOptions {
  readonly openLab: RunOptions['openLab'];
  readonly eyes?: RunOptions['eyes'];
  readonly filter?: Filter;
  readonly jobs?: number;
  /** What plays a scenario, where that is not this thread. */
  readonly run?: NonNullable<SchedulerOptions['run']>;
  /** Why no lab can be had here: everything is skipped with this reason. */
  readonly unavailable?: string;
  /** Called as each scenario ends, in the order they end. */
  readonly finished?: (run: ScenarioRun) => void;
}

interface Declared {
  readonly selected: Selected;
  readonly suite: Mocha.Suite;
}

export class Session {
  readonly #declared: Declared[] = [];
  readonly #last: Mocha.Suite[] = [];
  readonly #scheduler: Scheduler;

  constructor(readonly options: SessionOptions) {
    this.#scheduler = new Scheduler(options);
  }

  select(scenarios: readonly Scenario[]): readonly Selected[] {
    return select(scenarios, this.options.filter ?? {});
  }

  declare(selected: Selected, suite: Mocha.Suite): void {
    this.#declared.push({ selected, suite });
  }

  /** Has a suite run after all others: it judges what they recorded. */
  last(suite: Mocha.Suite): void {
    this.#last.push(suite);
  }

  /** Starts every declared scenario of which the runner will run a test. */
  start(runner: Mocha.Runner): void {
    for (const suite of this.#last) moveToEnd(suite);
    if (this.options.unavailable !== undefined) return;
    const wanted = this.#declared.filter(({ suite }) => runner.grepTotal(suite) > 0);
    this.#scheduler.start(wanted.map(({ selected }) => selected));
  }

  result(selected: Selected): Promise<ScenarioRun> {
    return this.#scheduler.result(selected);
  }

  /** All that were started, once all have ended. */
  runs(): Promise<readonly ScenarioRun[]> {
    return this.#scheduler.all();
  }
}

function moveToEnd(suite: Mocha.Suite): void {
  const siblings = suite.parent?.suites ?? [];
  const [found] = siblings.splice(siblings.indexOf(suite), 1);
  if (found !== undefined) siblings.push(found);
}

let current: Session | undefined;

/** The session that suites of this process belong to. Set it before any suite is loaded. */
export function useSession(session: Session): void {
  current = session;
}

export function session(): Session {
  if (current === undefined)
    throw new Error(
      'no conformance session: load lastack/mocha before the suites ("require" in .mocharc.json)',
    );
  return current;
}
