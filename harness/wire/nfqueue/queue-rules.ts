/**
 * The rules that bring segments into a queue, as iptables has them, and how ours are known among others. Pure.
 *
 * They stand last in the `mangle` table: what comes in has its local address there already, what goes out has it still, and the
 * machine's own filter comes behind. Over the loopback a segment is taken once, where it comes in.
 */

/** Our own packets bear it, and pass. */
export const OWN_MARK = 0x6c_61_73_74;
const TABLE = 'mangle';
const TAG = /--comment "?(lastack:(\d+)-(\d+):(\d+)-(\d+))"?(?: |$)/;

/** Which segments of a namespace the rules take. */
export type QueuedSegments =
  /** Those to and from a port, where they come in and where they go out. */
  | { readonly kind: 'port'; readonly port: number }
  /** Those from one address to another, at one hook. */
  | {
      readonly kind: 'between';
      readonly hook: 'input' | 'output';
      readonly source: string;
      readonly destination: string;
      /** Only with one of these at either end; none: all. */
      readonly ports: readonly number[];
    };

/** Whose rules they are, and what for. A process's start (clock ticks since boot) tells a pid that is used again from the first. */
export interface RuleOwner {
  readonly pid: number;
  readonly start: string;
  /** 0 where it is addresses that they tell segments by. */
  readonly port: number;
  readonly queue: number;
}

export const portOf = (segments: QueuedSegments): number => (segments.kind === 'port' ? segments.port : 0);

export const ruleTag = ({ pid, start, port, queue }: RuleOwner): string =>
  `lastack:${pid}-${start}:${port}-${queue}`;

/** Lines for iptables-restore and ip6tables-restore that add the rules, all or none. */
export function addRules(owner: RuleOwner, segments: QueuedSegments): string {
  return transaction(
    matchesOf(segments).map((match) =>
      [
        `-A ${match}`,
        `-m mark ! --mark ${OWN_MARK}`,
        `-m comment --comment ${ruleTag(owner)}`,
        `-j NFQUEUE --queue-num ${owner.queue} --queue-bypass`,
      ].join(' '),
    ),
  );
}

/** The number of rules that these take. */
export const ruleCount = (segments: QueuedSegments): number => matchesOf(segments).length;

/** A chain and what its rule picks, for each rule. */
function matchesOf(segments: QueuedSegments): readonly string[] {
  const ends = (chain: string, port: number) =>
    (['dport', 'sport'] as const).map((end) => `${chain} -p tcp -m tcp --${end} ${port}`);
  if (segments.kind === 'port')
    return ['INPUT', 'OUTPUT ! -o lo'].flatMap((chain) => ends(chain, segments.port));
  const { hook, source, destination, ports } = segments;
  const between = `${hook === 'input' ? 'INPUT' : 'OUTPUT'} -s ${source} -d ${destination}`;
  return ports.length === 0 ? [`${between} -p tcp`] : ports.flatMap((port) => ends(between, port));
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

/** Whether segments may be both those of another's rule and ours: then only one of the two would have them. */
export function mayOverlap({ port, line }: OwnedRule, segments: QueuedSegments): boolean {
  if (segments.kind === 'port') return port === segments.port || port === 0;
  const { source, destination } = segments;
  return port !== 0 || (line.includes(` -s ${source}/`) && line.includes(` -d ${destination}/`));
}

/** Lines for iptables-restore that take exactly these out. */
export const removeRules = (rules: readonly OwnedRule[]): string =>
  transaction(rules.map(({ line }) => line.replace(/^-A /, '-D ')));

const transaction = (lines: readonly string[]): string => [`*${TABLE}`, ...lines, 'COMMIT', ''].join('\n');
