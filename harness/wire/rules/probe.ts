/** What this machine's tools and kernel have for rules: each part is tried in a network namespace that is gone at once. */
import { spawnSync } from 'node:child_process';
import { type Command, commandText, TOOL_ENVIRONMENT } from './command.js';
import type { Dialect } from './rule-set.js';

export interface RulesCapability {
  readonly dialect: Dialect;
  /** Whether plans can be applied; some faults may need what is lacking. */
  readonly works: boolean;
  readonly has: readonly string[];
  readonly lacks: readonly string[];
  readonly sentence: string;
}

interface Part {
  readonly name: string;
  readonly argv: readonly string[];
  /** What it is for, told where it is lacking. */
  readonly forWhat?: string;
}

const iptables = (...words: readonly string[]): readonly string[] => [
  'iptables',
  '-w',
  '-t',
  'mangle',
  ...words,
];
const matching = (name: string, ...words: readonly string[]): Part => ({
  name,
  argv: iptables('-A', 'probe', '-p', 'tcp', '-m', name, ...words),
});
const nftRule = (name: string, rule: string, forWhat: string): Part => ({
  name,
  argv: ['nft', 'add', 'rule', 'inet', 'probe', 'probe', rule],
  forWhat,
});
const NETEM_FOR = 'delay and duplicate go by the wire';

/** The first of each is what nothing goes without. */
const PARTS: Readonly<Record<Dialect, readonly Part[]>> = {
  iptables: [
    { name: 'mangle', argv: iptables('-N', 'probe') },
    {
      ...matching('statistic', '--mode', 'nth', '--every', '2', '--packet', '0'),
      forWhat: 'nothing is done "once"',
    },
    { ...matching('bpf', '--bytecode', '1,6 0 0 0'), forWhat: 'lengths and windows go by nft' },
    {
      ...matching('string', '--algo', 'kmp', '--string', 'x'),
      forWhat: '"containing" goes by tc or the wire',
    },
    { ...matching('u32', '--u32', '0=0'), forWhat: '"containing" goes by tc or the wire' },
    { ...matching('tcpmss', '--mss', '1'), forWhat: 'the MSS is compared by nft' },
    { ...matching('recent', '--name', 'probe', '--rcheck'), forWhat: '"after" goes by nft' },
    {
      name: 'TCPMSS',
      argv: iptables(
        '-A',
        'probe',
        '-p',
        'tcp',
        '--tcp-flags',
        'SYN,RST',
        'SYN',
        '-j',
        'TCPMSS',
        '--set-mss',
        '536',
      ),
      forWhat: 'the MSS is set by nft',
    },
    {
      name: 'TCPOPTSTRIP',
      argv: iptables('-A', 'probe', '-p', 'tcp', '-j', 'TCPOPTSTRIP', '--strip-options', '8'),
      forWhat: 'options are removed by nft',
    },
    {
      name: 'TTL',
      argv: iptables('-A', 'probe', '-j', 'TTL', '--ttl-set', '3'),
      forWhat: 'the TTL is set by nft',
    },
  ],
  nft: [
    {
      name: 'tables',
      argv: ['nft', 'add table inet probe; add chain inet probe probe; add counter inet probe probe'],
    },
    nftRule('numgen', 'numgen inc mod 4294967295 < 1 drop', 'nothing is done "once"'),
    nftRule('tcp option', 'tcp option maxseg size 536', 'options go by iptables'),
    nftRule('tcp option set', 'tcp option maxseg size set 536', 'options are set by iptables'),
    nftRule('tcp option reset', 'reset tcp option timestamp', 'options are removed by iptables'),
  ],
  tc: [
    { name: 'clsact', argv: ['tc', 'qdisc', 'add', 'dev', 'lo', 'clsact'] },
    {
      name: 'bpf',
      argv: 'tc filter add dev lo ingress protocol all pref 1 handle 1 bpf direct-action'
        .split(' ')
        .concat('bytecode', '1,6 0 0 0'),
      forWhat: 'nothing is picked',
    },
    {
      name: 'htb',
      argv: 'tc qdisc add dev lo root handle 4701: htb default 1'.split(' '),
      forWhat: NETEM_FOR,
    },
    // A device has one root: netem alone shows whether the kernel has it.
    { name: 'netem', argv: 'tc qdisc replace dev lo root netem delay 1ms'.split(' '), forWhat: NETEM_FOR },
  ],
};

const VERSION: Readonly<Record<Dialect, readonly string[]>> = {
  iptables: ['iptables', '--version'],
  nft: ['nft', '--version'],
  tc: ['tc', '-V'],
};

const MISSING: Readonly<Record<Dialect, string>> = {
  iptables: 'iptables is missing: apt-get install iptables',
  nft: 'nft is missing: apt-get install nftables',
  tc: 'tc is missing: apt-get install iproute2',
};

export function rulesCapability(dialect: Dialect): RulesCapability {
  const nothing = { dialect, works: false, has: [], lacks: [] };
  const [tool = '', ...flags] = VERSION[dialect];
  const version = tried(tool, flags);
  if (version.status !== 0) return { ...nothing, sentence: MISSING[dialect] };
  const parts = PARTS[dialect];
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const script = parts.map(({ argv }) => trying({ argv })).join('\n');
  const { status, stdout, stderr, error } = tried('unshare', [...asRoot, '--net', 'sh', '-c', script]);
  if (status !== 0)
    return {
      ...nothing,
      sentence: `no network namespace to try it in: ${error?.message ?? lastLine(stderr)}`,
    };
  const answers = stdout.split('\n');
  const has = parts.filter((_, i) => answers[i] === 'yes').map(({ name }) => name);
  const lacking = parts.filter((_, i) => answers[i] !== 'yes');
  const [first] = parts;
  const works = first !== undefined && has.includes(first.name);
  const name = version.stdout.split('\n')[0]?.replace(/ \([A-Z].*\)$/, '') ?? tool;
  return {
    dialect,
    works,
    has,
    lacks: lacking.map((part) => part.name),
    sentence: works ? workingSentence(name, has, lacking) : `${name}: ${lastLine(stderr)}`,
  };
}

const tried = (file: string, args: readonly string[]) =>
  spawnSync(file, args, { encoding: 'utf8', env: { ...process.env, ...TOOL_ENVIRONMENT } });

const trying = (command: Command): string => `${commandText(command)} >&2 && echo yes || echo no`;

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

function workingSentence(name: string, has: readonly string[], lacking: readonly Part[]): string {
  const byReason = new Map<string, string[]>();
  for (const { name: part, forWhat = '' } of lacking)
    byReason.set(forWhat, [...(byReason.get(forWhat) ?? []), part]);
  const lacks = [...byReason].map(
    ([forWhat, parts]) => `; no ${parts.join(', ')} in this kernel: ${forWhat}`,
  );
  return `${name} with ${has.join(', ')}${lacks.join('')}`;
}
