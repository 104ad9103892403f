/** What can be attached to: the network namespace of a process of this machine. Containers and services are the process that they run. */
import { readFileSync } from 'node:fs';
import { NetworkNamespace, startOfProcess } from '../../sys/index.js';
import { AttachRefused, NoSuchTarget } from './attach-errors.js';

export interface Target extends Disposable {
  /** For people: `process 1234 (nginx)`. */
  readonly text: string;
  readonly pid: number;
  /** Held open: it stays when the process ends. */
  readonly namespace: NetworkNamespace;
  /** Whether the process is still there. */
  isAlive(): boolean;
}

/** Throws `NoSuchTarget` or `AttachRefused`, in one sentence. */
export function targetOfPid(pid: number): Target {
  return openTarget(pid, {
    text: `process ${pid} (${commandOf(pid)})`,
    missing: `there is no process ${pid} here: "ps -e" shows the processes`,
    gone: `there is no process ${pid} here any more: it has just ended`,
  });
}

export interface TargetWords {
  /** For people. */
  readonly text: string;
  /** There is no such process; there is none any more. */
  readonly missing: string;
  readonly gone: string;
}

export function openTarget(pid: number, { text, missing, gone }: TargetWords): Target {
  const start = isZombie(pid) ? undefined : startOfProcess(pid);
  if (start === undefined) throw new NoSuchTarget(missing);
  const namespace = openNamespace(pid, { text, gone });
  return {
    text,
    pid,
    namespace,
    isAlive: () => !isZombie(pid) && startOfProcess(pid) === start,
    [Symbol.dispose]: () => namespace[Symbol.dispose](),
  };
}

function openNamespace(pid: number, { text, gone }: Omit<TargetWords, 'missing'>): NetworkNamespace {
  let namespace: NetworkNamespace | undefined;
  try {
    namespace = NetworkNamespace.ofPid(pid);
    namespace.run(() => {});
    return namespace;
  } catch (error) {
    namespace?.[Symbol.dispose]();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EACCES' || code === 'EPERM')
      throw new AttachRefused(`you may not enter the network of ${text}: run lastack as root`);
    if (code === 'ENOENT' || code === 'ESRCH') throw new NoSuchTarget(gone);
    throw error;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'ended';
  }
}

function isZombie(pid: number): boolean {
  try {
    return /^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
