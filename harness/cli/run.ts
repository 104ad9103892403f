/** `lastack run`: the suites through mocha, one line a scenario as it ends, and both figures at the end. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';
import { allScenarios } from '../../suites/index.js';
import { Session, type SessionOptions, useSession } from '../mocha/index.js';
import {
  deviationLines,
  figureLines,
  figuresOf,
  progressLine,
  RunReport,
  type Terminal,
  timerLines,
  timerTable,
} from '../report/index.js';
import { type ScenarioRun, select, wentAsExpected } from '../run/index.js';
import { EXIT, UsageError } from './exit.js';

export interface RunCommand {
  readonly session: SessionOptions;
  readonly outDir: string;
}

/** Say something about lastack and about Toxiproxy, and nothing about a stack. */
const OF_NO_STACK = new Set(['mutants.suite.js', 'toxiproxy.suite.js']);
const SUITES = fileURLToPath(new URL('../../suites/', import.meta.url));

export async function run(command: RunCommand, terminal: Terminal): Promise<number> {
  const selected = select(allScenarios, command.session.filter ?? {});
  if (selected.length === 0)
    throw new UsageError('no scenario fits all that was asked for: "lastack list" shows what there is');
  const report = new RunReport(command.outDir);
  // Says that a run has begun, and finds out before it whether the folder takes files.
  await report.finish([], figuresOf([], 0));
  await report.prepare();
  let ended = 0;
  const session = new Session({
    ...command.session,
    finished: (one) => {
      ended += 1;
      report.add(one);
      process.stdout.write(`${progressLine(one, { ended, of: selected.length }, terminal)}\n`);
    },
  });
  useSession(session);
  const startedMs = performance.now();
  const failures = await runMocha(session);
  const runs = await session.runs();
  const figures = figuresOf(runs, performance.now() - startedMs);
  const lines = [...deviationLines(runs, terminal), '', ...figureLines(runs, figures)];
  process.stdout.write(`${lines.join('\n')}\n`);
  await report.finish(runs, figures);
  for (const line of exactTimers(runs, terminal)) process.stdout.write(`${line}\n`);
  process.stdout.write(`traces, captures and verdicts: ${report.folder}\n`);
  return failures === 0 && runs.every(wentAsExpected) ? EXIT.asExpected : EXIT.verdictFailed;
}

/** The timers of stacks, where their times are exact: those of a lab in virtual time. */
function exactTimers(runs: readonly ScenarioRun[], { columns }: Terminal): readonly string[] {
  const traces = runs.flatMap(({ trace }) => (trace?.lab === 'virtual' ? [trace] : []));
  const lines = timerLines(timerTable(traces), columns);
  return lines.length === 0 ? [] : ['', ...lines, ''];
}

/** Mocha runs the suites; what there is to say is printed as the scenarios end. Returns the number of failed tests. */
async function runMocha(session: Session): Promise<number> {
  const mocha = new Mocha({ reporter: SilentReporter, timeout: 0 });
  const suites = readdirSync(SUITES).filter((file) => file.endsWith('.suite.js'));
  for (const file of suites) if (!OF_NO_STACK.has(file)) mocha.addFile(`${SUITES}${file}`);
  await mocha.loadFilesAsync();
  return new Promise((resolve) => session.start(mocha.run(resolve)));
}

/** A reporter that reports nothing. */
class SilentReporter extends Mocha.reporters.Base {
  override epilogue(): void {}
}
