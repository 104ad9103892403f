/** What a run of many scenarios writes: the files of each as it ends, `summary.json` over all of them, and the timers seen. */
import { join } from 'node:path';
import { type ScenarioResult, type ScenarioRun, wentAsExpected } from '../run/index.js';
import { requirement } from '../spec/index.js';
import { type FileContent, type RunFiles, writeRunFiles, writeTogether } from './files.js';
import { timerLines, timersToJson } from './timer-lines.js';
import { timerTable } from './timer-table.js';
import type { VerdictEntry } from './verdicts.js';

/** The results of a run as they are printed and stored. */
export const verdictEntries = (run: Pick<ScenarioRun, 'results'>): readonly VerdictEntry[] =>
  run.results.map((result) => ({
    id: result.check,
    sentence: result.sentence,
    requirements: result.requirements.map(requirement),
    judgement: result.judgement,
    ...expectation(result),
  }));

/** What the list of known deviations says, where it says something. */
const expectation = ({
  known,
  unexpected,
}: ScenarioResult): Pick<ScenarioResult, 'known' | 'unexpected'> => ({
  ...(known === undefined ? {} : { known }),
  ...(unexpected === undefined ? {} : { unexpected }),
});

export class RunReport {
  readonly #writing: Promise<RunFiles | undefined>[] = [];

  constructor(readonly folder: string) {}

  /** Makes the folder, so that nothing is run for hours that cannot be written. Throws a `ReportError`. */
  async prepare(): Promise<void> {
    await writeTogether(this.folder, []);
  }

  /** Begins to write the files of a scenario; `finish` waits for all. */
  add(run: ScenarioRun): void {
    const { trace } = run;
    if (trace === undefined) return;
    const writing = writeRunFiles(this.folder, { trace, verdicts: verdictEntries(run) });
    // A failure is reported by `finish`, once for all of them.
    writing.catch(() => undefined);
    this.#writing.push(writing);
  }

  /** Throws a `ReportError` when anything could not be written. */
  async finish(runs: readonly ScenarioRun[], figures: RunFigures): Promise<void> {
    // The others are awaited too: a process that ends amid a writing leaves a file half written.
    const written = await Promise.allSettled(this.#writing);
    for (const writing of written) if (writing.status === 'rejected') throw writing.reason;
    const scenarios = runs.map((run) => ({
      scenario: run.scenario.id,
      ipVersion: run.ipVersion,
      verdict: run.verdict,
      asExpected: wentAsExpected(run),
      outcome: run.outcome,
      realMs: Math.round(run.realMs),
      results: run.results.map((result) => ({
        check: result.check,
        verdict: result.judgement.verdict,
        finding: result.judgement.finding,
        ...expectation(result),
      })),
    }));
    const content = `${JSON.stringify({ format: 'lastack-summary', version: 1, figures, scenarios }, null, 2)}\n`;
    const summary = { path: join(this.folder, 'summary.json'), content };
    await writeTogether(this.folder, [summary, ...this.#timers(runs)]);
  }

  /** Nothing where no timer was seen. */
  #timers(runs: readonly ScenarioRun[]): readonly FileContent[] {
    const table = timerTable(runs.flatMap(({ trace }) => trace ?? []));
    const lines = timerLines(table, Number.POSITIVE_INFINITY);
    if (lines.length === 0) return [];
    return [
      { path: join(this.folder, 'timers.json'), content: timersToJson(table) },
      { path: join(this.folder, 'timers.txt'), content: `${lines.join('\n')}\n` },
    ];
  }
}

export interface RunFigures {
  readonly wallMs: number;
  /** The longest timer of a stack that the run had to wait for; absent when none was declared. */
  readonly longestTimer?: { readonly name: string; readonly ms: number; readonly scenario: string };
}

export function figuresOf(runs: readonly ScenarioRun[], wallMs: number): RunFigures {
  const timers = runs.flatMap(({ scenario, trace }) =>
    scenario.longestTimer === undefined || trace === undefined
      ? []
      : [{ ...scenario.longestTimer, scenario: scenario.id }],
  );
  const [longestTimer] = timers.toSorted((a, b) => b.ms - a.ms);
  return { wallMs, ...(longestTimer === undefined ? {} : { longestTimer }) };
}
