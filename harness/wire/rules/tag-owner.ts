/**
 * Whose rules they are, so that those of a process that was killed can be told from those of one that lives. A tag has it in letters (a
 * chain's name has 28 of them), tc, which knows no names, in a number. Both are short for the process's start and its pid namespace.
 */
import { readlinkSync } from 'node:fs';
import { startOfProcess } from '../../sys/index.js';
import { DEFAULT_TAG } from './default-tag.js';

/** What is kept of a process. */
interface TagOwner {
  readonly pid: number;
  readonly start: number;
  readonly pidNamespace: number;
}

export type OwnersLife = 'living' | 'ended' | 'unknown';

const STARTS = 36 ** 3;
const NAMESPACES = 36 ** 2;
/** A pid has 22 bits at most (PID_MAX_LIMIT of the kernel's include/linux/threads.h), and tc's numbers have 31. */
const STARTS_OF_NUMBER = 32;
const NAMESPACES_OF_NUMBER = 16;
const FROM_TAG = new RegExp(`^${DEFAULT_TAG}[-_]p([0-9a-z]{3})([0-9a-z]{2})([0-9a-z]+)(?![0-9a-z])`);

const inLetters = (value: number, letters: number): string => value.toString(36).padStart(letters, '0');

const startOf = (pid: number): number | undefined => {
  const ticks = startOfProcess(pid);
  return ticks === undefined ? undefined : Number(ticks) % STARTS;
};

function ownPidNamespace(): number {
  try {
    return Number(readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')) % NAMESPACES;
  } catch {
    return 0;
  }
}

/** A tag of this process. */
export function ownTag(): string {
  const { pid } = process;
  return `${DEFAULT_TAG}-p${inLetters(startOf(pid) ?? 0, 3)}${inLetters(ownPidNamespace(), 2)}${pid.toString(36)}`;
}

function ownerOf(name: string): TagOwner | undefined {
  const [, start, pidNamespace, pid] = FROM_TAG.exec(name) ?? [];
  if (start === undefined || pidNamespace === undefined || pid === undefined) return undefined;
  const value = (letters: string): number => Number.parseInt(letters, 36);
  return { pid: value(pid), start: value(start), pidNamespace: value(pidNamespace) };
}

/** Of a tag, or of a name that begins with one. What was printed for a person to apply has no owner. */
export function lifeOfTag(name: string): OwnersLife {
  const owner = ownerOf(name);
  if (owner === undefined || owner.pidNamespace !== ownPidNamespace()) return 'unknown';
  return startOf(owner.pid) === owner.start ? 'living' : 'ended';
}

/** For tc; undefined where a tag has no owner. */
export function ownerNumber(tag: string): number | undefined {
  const owner = ownerOf(tag);
  if (owner === undefined) return undefined;
  const { pid, start, pidNamespace } = owner;
  return (
    (pid * STARTS_OF_NUMBER + (start % STARTS_OF_NUMBER)) * NAMESPACES_OF_NUMBER +
    (pidNamespace % NAMESPACES_OF_NUMBER)
  );
}

export function lifeOfNumber(number: number): OwnersLife {
  const rest = Math.floor(number / NAMESPACES_OF_NUMBER);
  const pid = Math.floor(rest / STARTS_OF_NUMBER);
  if (pid === 0 || number % NAMESPACES_OF_NUMBER !== ownPidNamespace() % NAMESPACES_OF_NUMBER)
    return 'unknown';
  const start = startOf(pid);
  return start !== undefined && start % STARTS_OF_NUMBER === rest % STARTS_OF_NUMBER ? 'living' : 'ended';
}
