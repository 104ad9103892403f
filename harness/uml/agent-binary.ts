/**
 * The agent as a static program for this machine's kind of processor. A guest has no libraries, so nothing may be linked at
 * run time. It is compiled when first asked for and kept in the cache.
 */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { contentName } from './kept-file.js';
import { BuildError } from './kernel/build-error.js';
import { cacheFolder, makeFolder } from './kernel/cache.js';
import { imagesFolder } from './kernel/recipe.js';
import { Workshop } from './kernel/workshop.js';

const COMPILERS = ['cc', 'gcc', 'clang'] as const;
const FLAGS = ['-static', '-O2', '-Wall'] as const;

/** The path of the executable; BuildError when it is not in the cache and cannot be compiled. */
export async function agentBinary(source = join(imagesFolder(), 'agent', 'agent.c')): Promise<string> {
  const ofSource = contentName(readFileSync(source), FLAGS.join(' '));
  const folder = join(cacheFolder(), 'agents');
  const compiler = await findCompiler();
  if (compiler === undefined) return builtElsewhen(folder, ofSource);
  const file = join(folder, `${ofSource}-${contentName(compiler.version)}`);
  if (!existsSync(file)) await compile(compiler.name, source, file);
  return file;
}

interface Compiler {
  readonly name: string;
  /** All that it says of itself: another version or target makes another agent. */
  readonly version: string;
}

async function findCompiler(): Promise<Compiler | undefined> {
  for (const name of COMPILERS) {
    // Of a group of its own: one that a terminal's Ctrl-C ends is not one that is missing.
    const { failed, stdout } = await execa(name, ['--version'], {
      reject: false,
      stderr: 'ignore',
      detached: true,
      cleanup: false,
    });
    if (!failed) return { name, version: stdout };
  }
  return undefined;
}

/** Where the compiler was removed since, what it made still runs. */
function builtElsewhen(folder: string, ofSource: string): string {
  const built = existsSync(folder)
    ? readdirSync(folder).find((name) => name.startsWith(`${ofSource}-`))
    : undefined;
  if (built !== undefined) return join(folder, built);
  throw new BuildError(
    'the agent cannot be compiled, for there is no C compiler: "apt-get install gcc libc6-dev" or "dnf install gcc glibc-static" installs one',
  );
}

async function compile(compiler: string, source: string, file: string): Promise<void> {
  await using workshop = new Workshop('agent');
  const made = join(workshop.folder, 'agent');
  const args = [...FLAGS, '-o', made, source];
  const ended = await workshop.run(compiler, args, { env: { TMPDIR: workshop.folder } });
  if (ended.failed) throw workshop.failure(`the agent cannot be compiled: ${why(ended.lines)}`, ended);
  makeFolder(dirname(file));
  renameSync(made, file);
}

function why(lines: readonly string[]): string {
  if (/cannot find -lc\b|unable to find library -lc\b/.test(lines.join('\n')))
    return 'there is no static C library: "apt-get install libc6-dev" or "dnf install glibc-static" installs it';
  return lines.find((line) => /\berror\b/.test(line)) ?? 'the compiler failed and said nothing';
}
