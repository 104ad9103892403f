/**
 * For mocha's `require`: brings the process to where labs can be made (again inside a user namespace, where that is what
 * it takes), opens the session, and starts what the suites declared once mocha knows its tests.
 */
import { join } from 'node:path';
import { closeSharedEngine } from '../lab/index.js';
import { figureLines, figuresOf, ReportError, RunReport } from '../report/index.js';
import { unavailable } from './enter-namespace.js';
import { Session, session, useSession } from './session.js';
import { lab, mochaWhere } from './where.js';

const report = new RunReport(join('reports', lab === 'netns' ? 'mocha' : `mocha-${lab}`));
let startedMs = 0;

useSession(
  new Session({
    ...(await mochaWhere()),
    ...(unavailable === undefined ? {} : { unavailable }),
    finished: (run) => report.add(run),
  }),
);

export function mochaGlobalSetup(this: Mocha.Runner): void {
  startedMs = performance.now();
  session().start(this);
}

export async function mochaGlobalTeardown(): Promise<void> {
  const runs = await session().runs();
  await closeSharedEngine();
  if (runs.length === 0) return;
  const figures = figuresOf(runs, performance.now() - startedMs);
  try {
    await report.finish(runs, figures);
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    process.stderr.write(`lastack: ${error.message}\n`);
    process.exitCode = 3;
    return;
  }
  process.stdout.write(
    `${figureLines(runs, figures).join('\n')}\ntraces, captures and verdicts: ${report.folder}\n\n`,
  );
}
