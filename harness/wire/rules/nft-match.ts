/** Terms in the words of nftables' expressions. */
import { OPTION_NUMBER, type OptionKind } from '../../segment/index.js';
import { type Literal, literalsOf, MOST, type OptionValueName, type Term } from './atom.js';
import type { IpVersion } from './place.js';
import { complement, type Range, type Ranges } from './ranges.js';
import type { Refuse } from './refusal.js';

/** The flags that `tcp flags` knows. */
const WORDS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr'] as const;
const WORD_BITS = 0xff;

/** Expressions of one rule, several where the words are those of several rules. `version` where the rule is for one only. */
export interface NftRule {
  readonly version?: IpVersion;
  readonly words: readonly string[];
}

export function nftMatches(term: Term, versions: readonly IpVersion[], refuse: Refuse): readonly NftRule[] {
  if (literalsOf(term, 'contains').length > 0)
    refuse('containing', 'nft compares octets at fixed places and looks for none: go by iptables (string)');
  const words = alternativesOf(term, refuse);
  const lengths = literalsOf(term, 'length');
  if (lengths.length === 0) return words.map((each) => ({ words: each }));
  // Where the length stands depends on the version of IP.
  return versions.flatMap((version) =>
    words.map((each) => ({
      version,
      words: [...each, ...lengths.map(({ atom }) => lengthWords(atom.ranges, version))],
    })),
  );
}

function alternativesOf(term: Term, refuse: Refuse): readonly (readonly string[])[] {
  return term.reduce<readonly (readonly string[])[]>(
    (rules, literal) => {
      const alternatives = literalWords(literal, refuse);
      return rules.flatMap((words) => alternatives.map((more) => [...words, ...more]));
    },
    [[]],
  );
}

/** One of the alternatives holds; mostly there is one. */
function literalWords({ atom, isNegated }: Literal, refuse: Refuse): readonly (readonly string[])[] {
  switch (atom.kind) {
    case 'flags':
      return [[flagWords(atom.mask, atom.value, isNegated ? '!=' : '==')]];
    case 'window':
      return [[`tcp window ${setWords(atom.ranges)}`]];
    case 'option':
      return [[`tcp option ${optionWord(atom.option, refuse)} ${isNegated ? 'missing' : 'exists'}`]];
    case 'option-value': {
      const { word, most } = VALUES[atom.name];
      if (!isNegated) return [[`tcp option ${word} ${setWords(atom.ranges)}`]];
      const missing = `tcp option ${word.split(' ')[0]} missing`;
      const others = complement(atom.ranges, most);
      return others.length === 0 ? [[missing]] : [[missing], [`tcp option ${word} ${setWords(others)}`]];
    }
    case 'sender':
    case 'length':
    case 'contains':
      return [[]];
  }
}

const VALUES: Readonly<Record<OptionValueName, { readonly word: string; readonly most: number }>> = {
  mss: { word: 'maxseg size', most: MOST.mss },
  windowScale: { word: 'window count', most: MOST.windowScale },
  tsVal: { word: 'timestamp tsval', most: MOST.tsVal },
  tsEcr: { word: 'timestamp tsecr', most: MOST.tsEcr },
};

function flagWords(mask: number, value: number, compare: '==' | '!='): string {
  if ((mask & ~WORD_BITS) === 0)
    return `tcp flags & (${flagNames(mask)}) ${compare} ${value === 0 ? '0' : flagNames(value)}`;
  // The twelve bits behind the data offset.
  return `@th,100,12 & ${hex(mask)} ${compare} ${hex(value)}`;
}

const hex = (n: number): string => `0x${n.toString(16)}`;

export const flagNames = (bits: number): string =>
  WORDS.filter((_, i) => (bits & (1 << i)) !== 0).join('|') || '0';

const OPTION_WORDS: Readonly<Partial<Record<OptionKind, string>>> = {
  mss: 'maxseg',
  windowScale: 'window',
  sackPermitted: 'sack-perm',
  sack: 'sack',
  timestamps: 'timestamp',
};

/** Options without a word of nft's go by their number. */
export function optionWord(kind: OptionKind, refuse: Refuse): string {
  if (kind !== 'eol' && kind !== 'nop' && kind !== 'unknown')
    return OPTION_WORDS[kind] ?? String(OPTION_NUMBER[kind]);
  refuse(
    `option ${kind}`,
    'nft looks for options by their number, and not into the last octet of the header: go by tc',
  );
  return '0';
}

const rangeWord = ({ from, to }: Range): string => (from === to ? String(from) : `${from}-${to}`);

function setWords(ranges: Ranges): string {
  const [only, another] = ranges;
  if (only !== undefined && another === undefined) return rangeWord(only);
  return `{ ${ranges.map(rangeWord).join(', ')} }`;
}

const HEADERS = { 4: 20, 6: 0 } as const;

/**
 * The length of the data is that of the packet without its headers: pairs of data offset and packet length. The data offset is the
 * upper half of an octet, whose lower half may be anything (a pair with `tcp doff` itself makes nft 1.0 fail when it lists the rule).
 */
function lengthWords(ranges: Ranges, version: IpVersion): string {
  const pairs: string[] = [];
  for (let words = 5; words <= 15; words += 1) {
    const headers = HEADERS[version] + 4 * words;
    for (const { from, to } of ranges) {
      const least = from + headers;
      const most = Math.min(to + headers, 0xffff);
      if (least <= most)
        pairs.push(`${16 * words}-${16 * words + 15} . ${rangeWord({ from: least, to: most })}`);
    }
  }
  const [head, length] =
    version === 4 ? ['ip hdrlength 5 ', 'ip length'] : ['ip6 nexthdr tcp ', 'ip6 length'];
  return `${head}@th,96,8 . ${length} { ${pairs.join(', ')} }`;
}
