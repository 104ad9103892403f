/**
 * The rules that bring segments into a queue, as iptables has them, and how ours are known among others. Pure.
 *
 * They stand last in the `mangle` table: what comes in has its local address there already, what goes out has it still, and the
 * machine's own filter comes behind. Over the loopback a segment is taken once, where it comes in.
 *
 * Between two addresses what comes in is taken before it is routed. At INPUT the kernel has looked for the packet's socket already
 * (tcp_v4_early_demux): what waits there behind the ACK of a handshake belongs to a request that is gone when its turn comes. The kernel makes
 * another socket of that and throws it away, and the eyes would see its states.
 */

/** Our own packets bear it, and pass. */
export const OWN_MARK = 0x6c_61_73_74;
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
      /**
       * Whether the namespace's connection tracking sees what goes between the two. It drops a SYN that crosses another, and no network
       * would: without address translation it is better off.
       */
      readonly isTracked: boolean;
      /** The namespace only forwards to the address that is its side's. */
      readonly isForwarded: boolean;
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

/** Lines for iptables-restore and ip6tables-restore that add the rules, all or none of a table. */
export function addRules(owner: RuleOwner, segments: QueuedSegments): string {
  const comment = `-m comment --comment ${ruleTag(owner)}`;
  const queue = `-j NFQUEUE --queue-num ${owner.queue} --queue-bypass`;
  return transaction([
    ...untracked(segments).map((match) => ({
      table: 'raw',
      line: `-A ${match} ${comment} -j CT --notrack`,
    })),
    ...matchesOf(segments).map((match) => ({
      table: 'mangle',
      line: `-A ${match} -m mark ! --mark ${OWN_MARK} ${comment} ${queue}`,
    })),
  ]);
}

/** The number of rules that these take. */
export const ruleCount = (segments: QueuedSegments): number =>
  matchesOf(segments).length + untracked(segments).length;

/** What connection tracking is to leave alone, both ways: a chain and what its rule picks, for each rule. */
function untracked(segments: QueuedSegments): readonly string[] {
  if (segments.kind === 'port' || segments.isTracked) return [];
  const { hook, source, destination, isForwarded } = segments;
  const [own, other] = hook === 'input' ? [destination, source] : [source, destination];
  const outwards = isForwarded ? 'PREROUTING' : 'OUTPUT';
  return [`PREROUTING -s ${other} -d ${own} -p tcp`, `${outwards} -s ${own} -d ${other} -p tcp`];
}

/** A chain and what its rule picks, for each rule. */
function matchesOf(segments: QueuedSegments): readonly string[] {
  const ends = (chain: string, port: number) =>
    (['dport', 'sport'] as const).map((end) => `${chain} -p tcp -m tcp --${end} ${port}`);
  if (segments.kind === 'port')
    return ['INPUT', 'OUTPUT ! -o lo'].flatMap((chain) => ends(chain, segments.port));
  const { hook, source, destination, ports, isForwarded } = segments;
  const chain = hook === 'output' && !isForwarded ? 'OUTPUT' : 'PREROUTING';
  const between = `${chain} -s ${source} -d ${destination}`;
  return ports.length === 0 ? [`${between} -p tcp`] : ports.flatMap((port) => ends(between, port));
}

export interface OwnedRule extends RuleOwner {
  readonly table: string;
  /** As iptables-save prints it: `-A INPUT -p tcp …`. */
  readonly line: string;
}

/** Ours in what iptables-save prints. */
export function ownedRules(saved: string): readonly OwnedRule[] {
  let table = '';
  return saved.split('\n').flatMap((line) => {
    if (line.startsWith('*')) table = line.slice(1);
    const [, , pid, start, port, queue] = (line.startsWith('-A ') && TAG.exec(line)) || [];
    if (pid === undefined || start === undefined) return [];
    return [{ pid: Number(pid), start, port: Number(port), queue: Number(queue), table, line }];
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
  transaction(rules.map(({ table, line }) => ({ table, line: line.replace(/^-A /, '-D ') })));

function transaction(rules: readonly { readonly table: string; readonly line: string }[]): string {
  const tables = [...new Set(rules.map(({ table }) => table))];
  return tables
    .map((table) => {
      const lines = rules.filter((rule) => rule.table === table).map(({ line }) => line);
      return [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
    })
    .join('');
}
