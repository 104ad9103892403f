/** For the tests of what is left behind: one life of the command in the virtual lab, ended at a random moment or not at all. */
import type { ChildProcess } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheFolder, installedKernels, isUpToDate } from '../uml/index.js';
import {
  type Ended,
  ended,
  MAIN,
  ORDINARY,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const kernel = installedKernels().findLast(isUpToDate);

/** A `before` hook: skips the suite, and says why, where no kernel was built. */
export function needsKernel(this: Mocha.Context): void {
  if (kernel !== undefined) return;
  process.stderr.write('skipped: no kernel was built for the virtual lab ("lastack kernel build 6.12")\n');
  this.skip();
}

/** A cache with the same kernel that an ordinary user may read, write and run; for an `after` hook, its `remove`. */
export function ordinaryCache(): TemporaryFolder {
  const folder = temporaryFolder();
  if (kernel === undefined) return folder;
  const kernels = join(folder.path, 'kernels');
  mkdirSync(kernels);
  cpSync(realpathSync(dirname(kernel.file)), join(kernels, basename(dirname(kernel.file))), {
    recursive: true,
  });
  for (const name of ['agents', 'initramfs'])
    cpSync(join(cacheFolder(), name), join(folder.path, name), { recursive: true });
  for (const file of readdirSync(folder.path, { recursive: true, encoding: 'utf8' }))
    chownSync(join(folder.path, file), ORDINARY, ORDINARY);
  return folder;
}

/** Plays one scenario with two guests. */
export const REPRO = ['repro', 'lost-final-ack'] as const;
/** Plays some on each core, with two guests each. */
export const RUN = ['run', 'data'] as const;

export interface Life {
  readonly command: readonly string[];
  /** How it ends; absent: by itself. A guest is killed from outside; a terminal's Ctrl-C goes to the whole group. */
  readonly end?: 'guest' | 'SIGKILL' | 'SIGINT' | 'SIGTERM';
  /** When, in real time from its start, or from when it has a guest: a guest cannot be killed before. */
  readonly atMs?: number;
  readonly from?: 'start' | 'first guest';
  /** An ordinary user's id; default: whoever runs the tests. */
  readonly uid?: number;
  /** Where kernels are; default: where they are for this process. */
  readonly cache?: string;
}

export interface Outcome extends Ended {
  readonly signal: NodeJS.Signals | null;
  /** How many guests there were when it was ended. */
  readonly guests: number;
  /** Whether it, or a guest of it, was ended from outside. */
  readonly wasEnded: boolean;
  /** How long it, or some process of it, lived after that. */
  readonly lingeredMs: number;
  /** Processes, and files that nobody asked for. */
  readonly left: readonly string[];
}

/** A life that takes longer hangs. */
const LIVES_WITHIN_MS = 60_000;
/** Its guests must be gone by then. */
const GONE_WITHIN_MS = 1000;
const LOOKS_EVERY_MS = 5;

const link = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** Whatever it started has its folder as its own, by which it can be told from everything else on this machine. */
const processesIn = (folder: string): readonly string[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name) && link(`/proc/${name}/cwd`) === folder);

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** The processes of its guests' kernels: each leads a group of its own. */
const guestsIn = (folder: string): readonly number[] =>
  processesIn(folder)
    .filter((pid) => commandOf(pid).includes('time-travel=ext:') && groupOf(pid) === pid)
    .map(Number);

function groupOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
  } catch {
    return undefined;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Lives it, and looks for what is left. Rejects when it hangs. */
export async function live(life: Life): Promise<Outcome> {
  const folder = temporaryFolder();
  try {
    const child = begin(life, folder.path);
    const beganMs = performance.now();
    const over = ended(child);
    const limit = setTimeout(() => child.kill('SIGKILL'), LIVES_WITHIN_MS);
    const end = await endOf(life, child, folder.path);
    const outcome = await over;
    clearTimeout(limit);
    if (performance.now() - beganMs > LIVES_WITHIN_MS) throw new Error(`${life.command.join(' ')} hung`);
    const deadlineMs = performance.now() + GONE_WITHIN_MS;
    while (processesIn(folder.path).length > 0 && performance.now() < deadlineMs) await pause(LOOKS_EVERY_MS);
    return {
      ...outcome,
      signal: child.signalCode,
      guests: end?.guests ?? 0,
      wasEnded: end !== undefined,
      lingeredMs: end === undefined ? 0 : performance.now() - end.ms,
      left: [
        ...processesIn(folder.path).map((pid) => `process ${pid}: ${commandOf(pid)}`),
        ...readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).filter(
          (file) => !/^out(\/|$)/.test(file),
        ),
      ],
    };
  } finally {
    folder.remove();
  }
}

function begin({ command, uid, cache = cacheFolder() }: Life, folder: string): ChildProcess {
  const where = ['--lab', 'virtual', '--endpoint', `linux@${kernel?.release}`, '--out', 'out'];
  return start(process.execPath, [MAIN, ...command, ...where], {
    folder,
    isLeader: true,
    env: { LASTACK_CACHE: cache },
    ...(uid === undefined ? {} : { uid }),
  });
}

/** Ends a life as it shall end; undefined where it has ended before. */
async function endOf(
  { end, atMs = 0, from }: Life,
  child: ChildProcess,
  folder: string,
): Promise<{ readonly ms: number; readonly guests: number } | undefined> {
  if (end === undefined) return undefined;
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (end === 'guest' || from === 'first guest')
    while (!isOver() && guestsIn(folder).length === 0) await pause(LOOKS_EVERY_MS);
  await pause(atMs);
  const guests = guestsIn(folder);
  const target = end === 'guest' ? guests[Math.floor(atMs) % Math.max(guests.length, 1)] : child.pid;
  if (isOver() || target === undefined) return undefined;
  const ms = performance.now();
  try {
    process.kill(-target, end === 'guest' ? 'SIGKILL' : end);
  } catch {
    // It has just ended by itself.
    return undefined;
  }
  return { ms, guests: guests.length };
}
