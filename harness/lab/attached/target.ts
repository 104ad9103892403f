/** What can be attached to: the network namespace of a process of this machine. Containers and services are the process that they run. */
import { readFileSync } from 'node:fs';
import { NetworkNamespace, startOfProcess } from '../../sys/index.js';
import { AttachRefused, NoSuchTarget } from './attach-errors.js';
import type { WireProcess } from './remote/index.js';

export interface Target {
  /** For people: `process 1234 (nginx)`. */
  readonly text: string;
  /** How a wire comes to its network namespace. */
  readonly reach: Reach;
  /** Whether the process is still there. */
  isAlive(): boolean;
}

export type Reach =
  /** From here. It stays when the process ends. */
  | { readonly kind: 'here'; readonly namespace: NetworkNamespace }
  /** By a process that is in it, and by which the wire is run. */
  | {
      readonly kind: 'process';
      readonly process: WireProcess;
      /** Where that process finds it: `/proc/self/ns/net`. */
      readonly path: string;
      readonly localIps: readonly string[];
    };

/** One whose namespace this process may enter; it is held open. */
export interface EnteredTarget extends Target, Disposable {
  readonly pid: number;
  readonly namespace: NetworkNamespace;
}

/** Throws `NoSuchTarget` or `AttachRefused`, in one sentence. */
export function targetOfPid(pid: number): EnteredTarget {
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

export function openTarget(pid: number, { text, missing, gone }: TargetWords): EnteredTarget {
  const start = isZombie(pid) ? undefined : startOfProcess(pid);
  if (start === undefined) throw new NoSuchTarget(missing);
  const namespace = openNamespace(pid, { text, gone });
  return {
    text,
    pid,
    namespace,
    reach: { kind: 'here', namespace },
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
