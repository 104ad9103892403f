/**
 * A tracing instance of our own in tracefs: its buffers and settings are nobody else's. It goes with the process that
 * made it, whatever ends that: at a normal exit it removes itself, a small guard process removes it after kill -9 or a
 * crash, and instances whose owner is gone are swept away when the next one is made.
 */
import { spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startOfProcess } from '../sys/index.js';

const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
const PREFIX = 'lastack-';
const MOST_OF_ONE_PROCESS = 16;

/** Where tracefs is and may be used, or one sentence that says why not. */
export function findTracefs(): { readonly root: string } | { readonly why: string } {
  const mounted = TRACEFS.find((root) => exists(join(root, 'instances')));
  if (mounted === undefined) {
    const why = exists('/sys/kernel/tracing')
      ? 'tracefs cannot be read here: it needs root outside of any user namespace, and `mount -t tracefs tracefs /sys/kernel/tracing` where it is not mounted'
      : 'this kernel has no tracefs (CONFIG_TRACING)';
    return { why };
  }
  try {
    accessSync(join(mounted, 'instances'), constants.W_OK);
  } catch {
    return {
      why: `${mounted}/instances may not be written: tracepoints need root outside of any user namespace`,
    };
  }
  return { root: mounted };
}

const exists = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

export class TracingInstance implements Disposable {
  readonly #removeAtExit = () => this[Symbol.dispose]();
  readonly #files: number[] = [];
  #gone = false;

  private constructor(
    readonly path: string,
    private readonly letGuardGo: () => void,
  ) {
    process.once('exit', this.#removeAtExit);
  }

  /** Instances of one process, which may have several (a thread each, say), are numbered. */
  static create(root: string): TracingInstance {
    const instances = join(root, 'instances');
    sweepInstances(instances);
    const owner = `${PREFIX}${process.pid}-${startOfProcess(process.pid)}`;
    for (let number = 1; number <= MOST_OF_ONE_PROCESS; number += 1) {
      const path = join(instances, `${owner}-${number}`);
      if (exists(path)) continue;
      // The guard first: there is no instant at which our end would leave an instance behind.
      const letGuardGo = startGuard(path);
      try {
        mkdirSync(path);
        return new TracingInstance(path, letGuardGo);
      } catch (error) {
        letGuardGo();
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
    throw new Error(`this process has ${MOST_OF_ONE_PROCESS} tracing instances already in ${instances}`);
  }

  set(file: string, value: string | number): void {
    writeFileSync(join(this.path, file), String(value));
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8');
  }

  list(folder: string): string[] {
    return readdirSync(join(this.path, folder));
  }

  /** Opens a file for non-blocking reading; it is closed with the instance. */
  open(file: string): number {
    const fd = openSync(join(this.path, file), constants.O_RDONLY | constants.O_NONBLOCK);
    this.#files.push(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#gone = true;
    process.removeListener('exit', this.#removeAtExit);
    for (const fd of this.#files) closeSync(fd);
    rmdirSync(this.path);
    this.letGuardGo();
  }
}

/**
 * A shell in a session of its own that reads from us until we end, and then removes the instance, unless it was told
 * that all is done. Our files in it keep
 * it busy for a moment after our end, so it tries for up to ten seconds.
 */
function startGuard(path: string): () => void {
  const script =
    'read _ && exit; i=0; while [ -d "$1" ] && [ $i -lt 500 ]; do rmdir "$1" && break; i=$((i+1)); sleep 0.02; done';
  const guard = spawn('/bin/sh', ['-c', script, 'lastack-guard', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Without a guard, the next process that starts sweeps up.
  guard.on('error', () => {});
  guard.unref();
  // The pipe is a handle of its own that would keep the event loop alive; its type does not tell.
  (guard.stdin as unknown as { unref(): void }).unref();
  return () => guard.stdin.end('done\n');
}

/** Removes instances whose owner has ended. One in use by a process that cannot be seen from here says EBUSY and stays. */
export function sweepInstances(instances: string): void {
  for (const name of readdirSync(instances)) {
    const [, pid, start] = /^lastack-(\d+)-(\d+)-\d+$/.exec(name) ?? [];
    if (pid === undefined || startOfProcess(Number(pid)) === start) continue;
    try {
      rmdirSync(join(instances, name));
    } catch {
      // In use, or its guard was faster: either way it is looked after.
    }
  }
}
