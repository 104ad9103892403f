/** Runs iptables and ip6tables in a network namespace. Synchronous, since a namespace is a thread's; a call takes about ten milliseconds. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { NetworkNamespace } from '../../sys/index.js';
import { AttachRefused } from './attach-errors.js';

const PROGRAMS = {
  4: { save: 'iptables-save', restore: 'iptables-restore' },
  6: { save: 'ip6tables-save', restore: 'ip6tables-restore' },
} as const;
/** Others may be writing rules at the same time. */
const LOCK_WITHIN_S = '5';
const MOST_OCTETS = 64 << 20;

/** All rules, as iptables-save prints them. Of a single table it would make one where there is none. */
export const savedRules = (namespace: NetworkNamespace, version: 4 | 6): string =>
  run(namespace, PROGRAMS[version].save, []);

/** Carries out the lines, all or none. */
export function restoreRules(namespace: NetworkNamespace, version: 4 | 6, lines: string): void {
  run(namespace, PROGRAMS[version].restore, ['-w', LOCK_WITHIN_S, '--noflush'], lines);
}

/** Whether the namespace speaks IPv6. */
export const hasIpv6 = (namespace: NetworkNamespace): boolean =>
  namespace.run(() => {
    try {
      return readFileSync('/proc/thread-self/net/if_inet6', 'utf8').trim() !== '';
    } catch {
      return false;
    }
  });

/** The queues that somebody reads: those of a process that has ended are not among them. */
export function boundQueues(namespace: NetworkNamespace): ReadonlySet<number> {
  const text = namespace.run(() => {
    try {
      return readFileSync('/proc/thread-self/net/netfilter/nfnetlink_queue', 'utf8');
    } catch {
      // Without the file the kernel has no queues.
      return '';
    }
  });
  return new Set(text.split('\n').flatMap((line) => (line.trim() === '' ? [] : Number.parseInt(line, 10))));
}

function run(namespace: NetworkNamespace, program: string, args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = namespace.run(() =>
    spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: MOST_OCTETS }),
  );
  // One that gives up does not read what it was to do: what it said tells why.
  const hasGivenUp = status !== null && error !== undefined && 'code' in error && error.code === 'EPIPE';
  if (error !== undefined && !hasGivenUp) throw new AttachRefused(explainMissing(program, error));
  if (status !== 0) throw new AttachRefused(explainIptables(program, stderr));
  return stdout;
}

function explainMissing(program: string, error: Error): string {
  return 'code' in error && error.code === 'ENOENT'
    ? `the program "${program}" is missing, which queues segments for lastack: install iptables ("apt-get install iptables")`
    : `the program "${program}" could not be run: ${error.message}`;
}

/** What iptables said, as a sentence that says what to do. */
export function explainIptables(program: string, stderr: string): string {
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'));
  const because = said === undefined ? program : `${program}: ${said}`;
  if (/permission denied|must be root|not permitted/i.test(stderr))
    return `rules may not be added there: run lastack as root (${because})`;
  if (
    /kernel module|no such file or directory|couldn't load|can't initialize|not supported|no chain\/target\/match/i.test(
      stderr,
    )
  )
    return `this kernel cannot queue segments for programs: load the modules ("sudo modprobe -a nfnetlink_queue xt_NFQUEUE xt_mark xt_comment") or build it with CONFIG_NETFILTER_XT_TARGET_NFQUEUE (${because})`;
  if (/xtables lock/i.test(stderr))
    return `another program has been changing rules for ${LOCK_WITHIN_S} s: try again (${because})`;
  return `the rules that queue segments could not be changed (${because})`;
}
