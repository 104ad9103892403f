/**
 * `lastack run` for several stacks: a run of its own for each, one after the other, and one table of the timers that they showed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeTimers, type Terminal, timerLines, timersFromJson, timersToJson } from '../report/index.js';
import { EXIT } from './exit.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const OF_ONE_RUN = ['--endpoint', '--out'];

export interface EachCommand {
  /** The command line, as it was given. */
  readonly args: readonly string[];
  readonly endpoints: readonly string[];
  readonly outDir: string;
}

/** The worst of their exit codes. */
export async function runEach({ args, endpoints, outDir }: EachCommand, terminal: Terminal): Promise<number> {
  let code: number = EXIT.asExpected;
  const folders: string[] = [];
  for (const endpoint of endpoints) {
    const folder = join(outDir, endpoint);
    folders.push(folder);
    process.stdout.write(`\n${endpoint}\n\n`);
    const child = spawn(process.execPath, [MAIN, ...argsFor(args, endpoint, folder)], { stdio: 'inherit' });
    const [ended] = await once(child, 'exit');
    code = Math.max(code, typeof ended === 'number' ? ended : EXIT.environment);
  }
  const files = folders.map((folder) => join(folder, 'timers.json')).filter(existsSync);
  const table = mergeTimers(files.map((file) => timersFromJson(readFileSync(file, 'utf8'))));
  const lines = timerLines(table, terminal.columns);
  if (lines.length === 0) return code;
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, 'timers.json'), timersToJson(table));
  writeFileSync(join(outDir, 'timers.txt'), `${lines.join('\n')}\n`);
  process.stdout.write(`\n${lines.join('\n')}\n\nall of them: ${outDir}\n`);
  return code;
}

/** The same command for one stack, into a folder of its own. */
export function argsFor(args: readonly string[], endpoint: string, outDir: string): readonly string[] {
  const isOption = (arg: string | undefined): boolean =>
    arg !== undefined && OF_ONE_RUN.some((option) => arg === option || arg.startsWith(`${option}=`));
  const isValue = (i: number): boolean => OF_ONE_RUN.includes(args[i - 1] ?? '');
  const kept = args.filter((arg, i) => !isOption(arg) && !isValue(i));
  return [...kept, '--endpoint', endpoint, '--out', outDir];
}
