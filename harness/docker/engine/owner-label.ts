/** Whose containers and networks are: the process that made them, by which `lastack clean` tells what a killed one has left. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { startOfProcess } from '../../sys/index.js';

export const LABEL = {
  run: 'lastack.run',
  owner: 'lastack.owner',
  purpose: 'lastack.purpose',
} as const;

export interface Owner {
  /** A digest of the machine's name and id: an engine may serve several machines. */
  readonly machine: string;
  readonly boot: string;
  /** The pid namespace in which the pid is meant. */
  readonly pidNamespace: string;
  readonly pid: number;
  readonly start: string;
}

const UNKNOWN = '0';

function readOr(read: () => string): string {
  try {
    return read().trim() || UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

export function thisProcess(): Owner {
  return {
    machine: digest(`${hostname()} ${readOr(() => readFileSync('/etc/machine-id', 'utf8'))}`),
    boot: digest(readOr(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))),
    pidNamespace: readOr(() => readlinkSync('/proc/self/ns/pid')).replace(/\D/g, '') || UNKNOWN,
    pid: process.pid,
    start: startOfProcess(process.pid) ?? UNKNOWN,
  };
}

export const ownerLabel = ({ machine, boot, pidNamespace, pid, start }: Owner): string =>
  [machine, boot, pidNamespace, pid, start].join(':');

export function parseOwner(label: string): Owner | undefined {
  const [machine, boot, pidNamespace, pid, start, ...more] = label.split(':');
  if (machine === undefined || boot === undefined || pidNamespace === undefined || start === undefined)
    return undefined;
  if (more.length > 0 || !/^\d+$/.test(pid ?? '')) return undefined;
  return { machine, boot, pidNamespace, pid: Number(pid), start };
}

/**
 * Whether the owner has ended, seen from a process of `here`. Of another machine, and of a pid namespace that is not ours, nobody
 * can tell: those count as living.
 */
export function hasEnded(
  owner: Owner,
  here: Owner,
  startOf: (pid: number) => string | undefined = startOfProcess,
): boolean {
  if (owner.machine !== here.machine) return false;
  if (owner.boot !== here.boot) return true;
  if (owner.pidNamespace !== here.pidNamespace) return false;
  return startOf(owner.pid) !== owner.start;
}
