/**
 * `npm run stability -- [times] [names…]`: plays the suites again and again while every core is kept busy, and compares the
 * verdict of each check between the runs. Prints each difference with both findings and where the traces are; exit code 1
 * when there is one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Difference, differences, readSummary, type Summary } from './stability/compare.js';

const MAIN = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url));
const FOLDER = join('reports', 'stability');

/** A loop for each core. Each asks whether this process still lives, so that none outlives it, whatever ends it. */
const LOOP = 'while kill -0 "$PPID" 2>/dev/null; do :; done';

function keepBusy(): readonly ChildProcess[] {
  return Array.from({ length: availableParallelism() }, () => spawn('sh', ['-c', LOOP], { stdio: 'ignore' }));
}

async function play(run: number, names: readonly string[]): Promise<Summary> {
  const out = join(FOLDER, String(run));
  const child = spawn(process.execPath, [MAIN, 'run', ...names, '--out', out], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0 && code !== 1) throw new Error(`run ${run} ended with exit code ${String(code)}`);
  return readSummary(readFileSync(join(out, 'summary.json'), 'utf8'));
}

const differenceText = ({ scenario, check, seen }: Difference): string =>
  [
    `${scenario}: ${check}`,
    ...seen.map(({ verdict, finding, runs }) => `  ${verdict} in run ${runs.join(', ')}: ${finding}`),
  ].join('\n');

async function main(): Promise<number> {
  const [timesText = '20', ...names] = process.argv.slice(2);
  const times = Number(timesText);
  if (!Number.isInteger(times) || times < 2) {
    process.stderr.write(`stability: "${timesText}" is no number of runs: name a whole number from 2\n`);
    return 2;
  }
  const loops = keepBusy();
  const summaries: Summary[] = [];
  try {
    for (let run = 1; run <= times; run += 1) {
      const summary = await play(run, names);
      summaries.push(summary);
      const seconds = (summary.figures.wallMs / 1000).toFixed(1);
      process.stdout.write(`run ${run} of ${times}: ${summary.scenarios.length} scenarios in ${seconds} s\n`);
    }
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
  }
  const found = differences(summaries);
  const checks = summaries[0]?.scenarios.reduce((sum, { results }) => sum + results.length, 0) ?? 0;
  process.stdout.write(
    found.length === 0
      ? `${times} runs with ${loops.length} busy cores: the same verdict for each of ${checks} checks\n`
      : `${found.map(differenceText).join('\n')}\n${found.length} differences in ${times} runs; traces: ${FOLDER}\n`,
  );
  return found.length === 0 ? 0 : 1;
}

process.exitCode = await main();
