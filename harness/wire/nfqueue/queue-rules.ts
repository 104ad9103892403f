/**
 * The rules that bring a port's segments into a queue, as iptables has them, and how ours are known among others. Pure.
 *
 * They stand last in the `mangle` table: what comes in has its local address there already, what goes out has it still, and the
 * machine's own filter comes behind. Over the loopback a segment is taken once, where it comes in.
 */

/** Our own packets bear it, and pass. */
export const OWN_MARK = 0x6c_61_73_74;
const TABLE = 'mangle';
const TAG = /--comment "?(lastack:(\d+)-(\d+):(\d+)-(\d+))"?(?: |$)/;

/** Whose rules they are, and what for. A process's start (clock ticks since boot) tells a pid that is used again from the first. */
export interface RuleOwner {
  readonly pid: number;
  readonly start: string;
  readonly port: number;
  readonly queue: number;
}

export const ruleTag = ({ pid, start, port, queue }: RuleOwner): string =>
  `lastack:${pid}-${start}:${port}-${queue}`;

/** Lines for iptables-restore and ip6tables-restore that add the rules, all or none. */
export function addRules(owner: RuleOwner): string {
  const { port, queue } = owner;
  const rule = (chain: string, end: 'sport' | 'dport'): string =>
    [
      `-A ${chain}`,
      `-p tcp -m tcp --${end} ${port}`,
      `-m mark ! --mark ${OWN_MARK}`,
      `-m comment --comment ${ruleTag(owner)}`,
      `-j NFQUEUE --queue-num ${queue} --queue-bypass`,
    ].join(' ');
  return transaction([
    rule('INPUT', 'dport'),
    rule('INPUT', 'sport'),
    rule('OUTPUT ! -o lo', 'sport'),
    rule('OUTPUT ! -o lo', 'dport'),
  ]);
}

export interface OwnedRule extends RuleOwner {
  /** As iptables-save prints it: `-A INPUT -p tcp …`. */
  readonly line: string;
}

/** Ours in what iptables-save prints. */
export function ownedRules(saved: string): readonly OwnedRule[] {
  return saved.split('\n').flatMap((line) => {
    const [, , pid, start, port, queue] = (line.startsWith('-A ') && TAG.exec(line)) || [];
    if (pid === undefined || start === undefined) return [];
    return [{ pid: Number(pid), start, port: Number(port), queue: Number(queue), line }];
  });
}

/** Lines for iptables-restore that take exactly these out. */
export const removeRules = (rules: readonly OwnedRule[]): string =>
  transaction(rules.map(({ line }) => line.replace(/^-A /, '-D ')));

const transaction = (lines: readonly string[]): string => [`*${TABLE}`, ...lines, 'COMMIT', ''].join('\n');
