/** For this folder's tests: the command as a process of its own, which is how people meet it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { netnsCapability } from '../lab/index.js';
import { probeEyes } from '../observe/index.js';

export const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
/** Nobody's: an ordinary user that every system has. */
export const ORDINARY = 65_534;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

export interface SpawnedOptions {
  /** An ordinary user's id; default: whoever runs the tests. */
  readonly uid?: number;
  /** The working folder, home and place of temporary files. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It leads a group of its own, as a command does that was typed into a terminal. */
  readonly isLeader?: boolean;
}

/** Starts a program whose files can only land in `folder`. */
export function start(command: string, args: readonly string[], options: SpawnedOptions): ChildProcess {
  const { uid, folder, env, isLeader = false } = options;
  return spawn(command, args, {
    cwd: folder,
    detached: isLeader,
    env: { ...process.env, HOME: folder, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

export function ended(child: ChildProcess): Promise<Ended> {
  const startedMs = performance.now();
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said, tookMs: performance.now() - startedMs }));
  });
}

/** Runs `lastack` with these arguments to its end. */
export const lastack = (args: readonly string[], options: SpawnedOptions): Promise<Ended> =>
  ended(start(process.execPath, [MAIN, ...args], options));

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/** Root of the machine, and not just of a user namespace of its own (user_namespaces(7)). */
const isRoot =
  process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));

/** A folder which an ordinary user may write too; for a `before` hook, and `remove` for an `after` hook. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'lastack-cli-'));
  if (isRoot) chownSync(path, ORDINARY, ORDINARY);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A `before` hook: skips, and says why, where labs cannot be made at all. */
export function needsLabs(this: Mocha.Context): void {
  const { way, sentence } = netnsCapability();
  if (way === 'none') skip(this, sentence);
}

/** A `before` hook: skips, and says why, unless the tests run as root. */
export function needsRoot(this: Mocha.Context): void {
  if (!isRoot) skip(this, 'only root can arrange this');
}

/** In a test: skips, and says why, where the kernel's tracepoints cannot be had, such as without tracefs. */
export function needsTracepoints(this: Mocha.Context): void {
  const eye = probeEyes().find((each) => each.eye === 'tracepoint');
  if (eye?.works !== true) skip(this, eye?.sentence ?? 'there are no tracepoints');
}

/** A `before` hook: skips, and says why, where an ordinary user cannot be had, or cannot read this checkout. */
export function needsOrdinaryUser(this: Mocha.Context): void {
  if (!isRoot) skip(this, 'only root can become another user');
  const { status } = spawnSync(process.execPath, [MAIN, '--version'], { uid: ORDINARY, gid: ORDINARY });
  if (status !== 0) skip(this, 'an ordinary user cannot read this checkout, or run this Node');
}

function skip(context: Mocha.Context, reason: string): never {
  process.stderr.write(`skipped: ${reason}\n`);
  return context.skip();
}

/** One sentence for a person: a line (commander adds a hint or two in brackets), and no stack trace. */
export function isOneSentence(text: string): boolean {
  const [first = '', ...rest] = text.trimEnd().split('\n');
  return /^(lastack|error): \S/.test(first) && rest.every((line) => /^\(.*\)$/.test(line));
}
