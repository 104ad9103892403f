/**
 * A folder in the cache where one kernel is built, with the programs that run for it and their log. Nothing of it outlives
 * the build, whatever ends that: disposal, a signal, an exception. What a killed process left is swept by the next build.
 * Only the log stays, and only of a build that failed.
 */
import { appendFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { startOfProcess } from '../../sys/index.js';
import { BuildError } from './build-error.js';
import { cacheFolder, makeFolder } from './cache.js';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Gets each line of standard output and of standard error. */
  readonly onLine?: (line: string) => void;
}

export interface Ended {
  readonly failed: boolean;
  /** The last lines of both outputs. */
  readonly lines: readonly string[];
}

const LINES_KEPT = 400;
/** Long enough for the children of a killed process to let go of the folder. */
const REMOVAL = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 } as const;
/** What a caller's own make or shell would put into ours. Undefined takes them out of the environment. */
const NOT_INHERITED = Object.fromEntries(
  [
    'MAKEFLAGS',
    'MFLAGS',
    'MAKELEVEL',
    'ARCH',
    'SUBARCH',
    'CROSS_COMPILE',
    'O',
    'KBUILD_OUTPUT',
    'KCONFIG_CONFIG',
  ].map((name) => [name, undefined]),
);

export class Workshop implements AsyncDisposable {
  readonly folder: string;
  readonly logFile: string;
  readonly #isKept: boolean;
  readonly #groups = new Set<number>();
  #hasFailed = false;
  #isClosed = false;

  /** `subject` becomes part of names of files. */
  constructor(subject: string, { keep = false }: { readonly keep?: boolean } = {}) {
    const builds = buildsFolder();
    sweep(builds);
    this.#isKept = keep;
    const owner = keep ? 'kept' : ownerName();
    this.folder = join(builds, `${subject}.${owner}.${Math.random().toString(36).slice(2, 6)}`);
    this.logFile = join(cacheFolder(), 'logs', `kernel-${subject}-${stamp()}-${process.pid}.log`);
    for (const folder of [this.folder, join(cacheFolder(), 'logs')]) makeFolder(folder);
    process.on('exit', this.#atExit);
  }

  /** Runs a program to its end in the C locale, and writes what it says to the log. */
  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    this.note(`$ ${[program, ...args].join(' ')}`);
    const lines: string[] = [];
    // A process group of its own, so that make and all that it started can be ended together.
    const child = execa(program, args, {
      all: true,
      buffer: false,
      reject: false,
      stdin: 'ignore',
      detached: true,
      cleanup: false,
      cwd: options.cwd ?? this.folder,
      env: { ...NOT_INHERITED, LC_ALL: 'C', ...options.env },
    });
    const { pid } = child;
    if (pid !== undefined) this.#groups.add(pid);
    try {
      for await (const line of child.iterable({ from: 'all' })) {
        this.note(line);
        lines.push(line);
        if (lines.length > LINES_KEPT) lines.shift();
        options.onLine?.(line);
      }
    } catch {
      // A program that fails, or that there is not, ends the lines with an error; the result below has it too.
    }
    const { failed, shortMessage } = await child;
    if (pid !== undefined) this.#groups.delete(pid);
    if (failed && shortMessage !== undefined) this.note(shortMessage);
    return { failed, lines };
  }

  /** Adds a line to the log. */
  note(line: string): void {
    if (this.#isClosed) return; // the last words of a program that was ended
    try {
      appendFileSync(this.logFile, `${line}\n`);
    } catch {
      // On a full disk the log ends here; the build will fail, and say why.
    }
  }

  /** What to throw: the sentence, with the place of the log; a full disk explains everything else. */
  failure(sentence: string, { lines }: Pick<Ended, 'lines'> = { lines: [] }): BuildError {
    this.#hasFailed = true;
    this.note(sentence);
    if (lines.some((line) => /No space left on device|Disk quota exceeded/.test(line)))
      return new BuildError(
        `there is no space left in ${cacheFolder()}: free some, or let LASTACK_CACHE name a folder on another disk`,
      );
    return new BuildError(`${sentence} (log: ${this.logFile})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#atExit);
    this.#isClosed = true;
    this.#endPrograms();
    if (!this.#hasFailed && !this.#isKept) rmSync(this.logFile, { force: true });
    if (!this.#isKept) await rm(this.folder, REMOVAL);
  }

  readonly #atExit = (): void => {
    this.#endPrograms();
    rmSync(this.logFile, { force: true });
    if (!this.#isKept) rmSync(this.folder, REMOVAL);
  };

  #endPrograms(): void {
    for (const group of this.#groups)
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
  }
}

const buildsFolder = (): string => join(cacheFolder(), 'build');

const stamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(':', '-');

/** Tells this process from every other on this machine, and from one that gets its number later. */
function ownerName(): string {
  return [process.pid, startOfProcess(process.pid) ?? 0, pidNamespace()].join('-');
}

const pidNamespace = (): string => readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');

const DAY_MS = 24 * 3600 * 1000;

/** Removes the folders of builds whose process is gone (of other containers with the same cache, after a day). */
export function sweep(builds: string): void {
  for (const { name, path } of foldersIn(builds)) {
    const owner = /\.(\d+)-(\d+)-(\d+)\.\w+$/.exec(name);
    if (owner === null) continue; // kept for somebody
    const [, pid, startTime, namespace] = owner;
    const isOurs = namespace === pidNamespace();
    const isOver = isOurs ? startOfProcess(Number(pid)) !== startTime : isOlderThanADay(path);
    if (isOver) rmSync(path, REMOVAL);
  }
}

function foldersIn(folder: string): readonly { readonly name: string; readonly path: string }[] {
  try {
    return readdirSync(folder).map((name) => ({ name, path: join(folder, name) }));
  } catch {
    return [];
  }
}

function isOlderThanADay(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > DAY_MS;
  } catch {
    return false; // somebody else removed it
  }
}
