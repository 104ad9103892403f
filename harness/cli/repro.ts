/** `lastack repro`: one scenario, shown: the ladder, the verdicts with their clauses, and where the files are. */
import { allScenarios } from '../../suites/index.js';
import { knownDeviations } from '../../suites/known-deviations.js';
import type { Verdict } from '../check/index.js';
import type { Fault } from '../fault/index.js';
import {
  ladder,
  type Terminal,
  tally,
  verdictEntries,
  verdictLines,
  writeRunFiles,
} from '../report/index.js';
import {
  heldAgainst,
  matchesName,
  type RunOptions,
  runScenario,
  type Scenario,
  type ScenarioRun,
  wentAsExpected,
} from '../run/index.js';
import { didYouMean } from '../text/index.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';

export interface ReproCommand {
  readonly scenario: Scenario;
  /** Added to the scenario's own. */
  readonly faults: readonly Fault[];
  readonly outDir: string;
  readonly options: RunOptions;
  /** How a run is taken, where it is not good when all goes as expected. */
  readonly taken?: (run: ScenarioRun) => Taken;
}

export interface Taken {
  /** As it is to be shown. */
  readonly run: ScenarioRun;
  readonly isGood: boolean;
  /** What is to be said of it besides. */
  readonly lines: readonly string[];
}

const asExpected = (run: ScenarioRun): Taken => ({ run, isGood: wentAsExpected(run), lines: [] });

export async function repro(command: ReproCommand, terminal: Terminal): Promise<number> {
  const { scenario, taken = asExpected } = command;
  const faults = [...(scenario.faults ?? []), ...command.faults];
  const played = await runScenario({ ...scenario, faults }, command.options);
  // With faults of the caller's it is another scenario than the one that the list speaks of.
  const held = command.faults.length === 0 ? heldAgainst(played, knownDeviations) : played;
  const { run, isGood, lines } = taken(held);
  const { trace } = run;
  if (trace === undefined) throw new EnvironmentError(reasonOf(run));
  const entries = verdictEntries(run);
  const own = new Set(scenario.checks.map((check) => check.id));
  // Of the rules that every trace is held against only those say something here that are not kept.
  const quiet = entries.filter(
    ({ id, judgement, unexpected }) =>
      !own.has(id) && QUIET.has(judgement.verdict) && unexpected === undefined,
  );
  const told = entries.filter((entry) => !quiet.includes(entry));
  print([
    `${scenario.id}: ${scenario.title}`,
    '',
    ladder(trace, terminal),
    ...(run.outcome.kind === 'played' ? [] : [`${run.outcome.kind}: ${run.outcome.reason}`, '']),
    ...verdictLines(told, terminal),
    '',
    `${quiet.length} rules that every trace is held against: ${tally(quiet)} (all are in the verdicts file)`,
    `verdict: ${run.verdict} (${tally(entries)})`,
    ...lines,
  ]);
  const files = await writeRunFiles(command.outDir, { trace, verdicts: entries });
  print([`capture:  ${files.pcapng}`, `trace:    ${files.trace}`, `verdicts: ${files.verdicts}`]);
  return isGood ? EXIT.asExpected : EXIT.verdictFailed;
}

const QUIET: ReadonlySet<Verdict> = new Set(['pass', 'info']);

/** The one scenario that a person means: its id, or its name without the suite. */
export function scenarioNamed(name: string): Scenario {
  const found = allScenarios.filter((scenario) => matchesName(scenario, name));
  const [one, another] = found;
  if (one !== undefined && another === undefined) return one;
  const names = allScenarios.flatMap(({ id }) => [id, id.slice(id.indexOf('/') + 1)]);
  throw new UsageError(
    one === undefined
      ? `there is no scenario "${name}"${didYouMean(name, names) || ': "lastack list" shows all'}`
      : `"${name}" names ${found.length} scenarios, name one: ${found.map(({ id }) => id).join(', ')}`,
  );
}

const reasonOf = ({ outcome }: ScenarioRun): string =>
  outcome.kind === 'played' ? 'no trace was recorded' : outcome.reason;

const print = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join('\n')}\n`);
};
