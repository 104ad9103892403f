/**
 * The process of a guest's kernel. It has a group of its own, to which its helper processes belong and which a terminal's Ctrl-C does not
 * reach. It ends with the thread that started it: by itself, since its clock's socket ends, and at the latest with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { libc, uninterrupted } from '../sys/index.js';
import { messageOf } from '../text/index.js';

export interface GuestProcessOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Its descriptors from 1 on; 0 is /dev/null. */
  readonly descriptors: readonly number[];
}

const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
/** Leaves it to the event loop to take note of the end. */
const WNOWAIT = 0x0100_0000;
const SIGINFO_OCTETS = 128;
const CODE_AT = 8;
const PID_AT = 16;
const STATUS_AT = 24;
const CLD_EXITED = 1;

/** Those that end with this process. */
const living = new Set<GuestProcess>();

/** The event loop will not hear of their end any more: it is awaited here. */
function endAll(): void {
  const all = [...living];
  for (const each of all) each.kill();
  for (const each of all) each.reap();
}

export class GuestProcess {
  readonly pid: number;
  /** Resolves when nothing is left of it, and the event loop has heard so. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #isReaped = false;

  /** Throws an error of one sentence where the file cannot be run. */
  constructor({ file, args, descriptors }: GuestProcessOptions) {
    this.#child = start(file, args, descriptors);
    this.#child.unref();
    const { pid } = this.#child;
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => {
        this.#isReaped = true;
        resolve();
      });
    });
    if (pid === undefined)
      throw new Error(`${file} cannot be run: is a limit of processes or memory reached (ulimit -a)?`);
    this.pid = pid;
    if (living.size === 0) process.prependListener('exit', endAll);
    living.add(this);
  }

  /** What has come of it is known at once, whether the event loop has heard of it or not. */
  get isRunning(): boolean {
    return !this.#isReaped && this.#look(WNOHANG) === 'runs';
  }

  /** Its helper processes go too. */
  kill(): void {
    if (!living.delete(this)) return;
    if (living.size === 0) process.removeListener('exit', endAll);
    // Its number may be somebody else's by now.
    if (this.#isReaped) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It was gone before.
    }
  }

  /** Blocks until it has ended, once it was killed, and takes note of its end. */
  reap(): void {
    if (!this.#isReaped)
      uninterrupted(() => libc.waitid(P_PID, this.pid, new Uint8Array(SIGINFO_OCTETS), WEXITED));
  }

  /** Ends it, and says how it ended, in words that follow "its process": by itself where it did. Blocks for some milliseconds. */
  endedHow(): string {
    this.kill();
    if (!this.#isReaped) return this.#look(0);
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? `ended with status ${exitCode}` : `was ended by ${signalCode}`;
  }

  #look(flags: number): string {
    const siginfo = new Uint8Array(SIGINFO_OCTETS);
    const options = WEXITED | WNOWAIT | flags;
    // Somebody else has taken note of its end (ECHILD).
    if (uninterrupted(() => libc.waitid(P_PID, this.pid, siginfo, options)) < 0) return 'has ended';
    const view = new DataView(siginfo.buffer);
    if (view.getInt32(PID_AT, true) === 0) return 'runs';
    const status = view.getInt32(STATUS_AT, true);
    return view.getInt32(CODE_AT, true) === CLD_EXITED
      ? `ended with status ${status}`
      : `was ended by ${signalName(status)}`;
  }
}

function start(file: string, args: readonly string[], descriptors: readonly number[]): ChildProcess {
  try {
    if (!isProgram(file)) throw new Error('it is no program');
    return spawn(file, args, {
      stdio: ['ignore', ...descriptors],
      detached: true,
      // It takes the end of its environment for the top of its stack (get_top_address in arch/um/kernel/um_arch.c), and moves PATH
      // elsewhere before: something else must be there.
      env: { LANG: 'C' },
    });
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    throw new Error(`${file} cannot be run (${why}): is it a kernel of "lastack kernel build"?`);
  }
}

const ELF = Buffer.from('\x7fELF', 'latin1');

/** What is none would be run by a shell (execvp(3)). */
function isProgram(file: string): boolean {
  accessSync(file, constants.X_OK);
  const fd = openSync(file, 'r');
  try {
    const begin = Buffer.alloc(ELF.length);
    return readSync(fd, begin, 0, ELF.length, 0) === ELF.length && begin.equals(ELF);
  } finally {
    closeSync(fd);
  }
}

const signalName = (number: number): string =>
  Object.entries(osConstants.signals).find(([, each]) => each === number)?.[0] ?? `signal ${number}`;
