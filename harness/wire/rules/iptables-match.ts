/** Terms in the words of iptables' matches. */
import { OPTION_NUMBER } from '../../segment/index.js';
import { type Literal, literalsOf, type Term } from './atom.js';
import { bytecode } from './cbpf.js';
import { matchProgram } from './match-program.js';
import type { IpVersion } from './place.js';
import type { Range } from './ranges.js';
import type { Refuse } from './refusal.js';

/** The flags that `--tcp-flags` knows. */
const WORDS: readonly (readonly [bit: number, name: string])[] = [
  [0x02, 'SYN'],
  [0x10, 'ACK'],
  [0x01, 'FIN'],
  [0x04, 'RST'],
  [0x20, 'URG'],
  [0x08, 'PSH'],
];
const WORD_BITS = 0x3f;

/** XT_BPF_MAX_NUM_INSTR */
const MAX_INSTRUCTIONS = 64;
/** XT_STRING_MAX_PATTERN_SIZE */
const MAX_PATTERN = 128;

/** Words of one rule. A term whose words are those of several rules gives several, of which at most one matches. */
export function iptablesMatches(
  term: Term,
  version: IpVersion,
  refuse: Refuse,
): readonly (readonly string[])[] {
  const native: string[] = [];
  const programmed: Literal[] = [];
  for (const literal of term) {
    const words = nativeWords(literal, refuse);
    if (words === undefined) programmed.push(literal);
    else native.push(...words);
  }
  const alternatives = valueAlternatives(term, refuse);
  const searches = literalsOf(term, 'contains');
  if (searches.length > 0) return searchRules(term, { version, refuse, native, programmed, alternatives });
  const program = programWords(programmed, version, refuse);
  return alternatives.map((words) => [...native, ...words, ...program]);
}

/** Undefined for what goes into a program; nothing for what is said elsewhere. */
function nativeWords({ atom, isNegated }: Literal, refuse: Refuse): readonly string[] | undefined {
  const not = isNegated ? ['!'] : [];
  switch (atom.kind) {
    case 'flags':
      if ((atom.mask & ~WORD_BITS) !== 0) return undefined;
      return ['-m', 'tcp', ...not, '--tcp-flags', flagWords(atom.mask), flagWords(atom.value)];
    case 'option': {
      const { option } = atom;
      if (option === 'eol' || option === 'unknown') {
        refuse(
          `option ${option}`,
          'iptables looks for options by their number: go by tc for eol, by the wire for unknown',
        );
        return [];
      }
      return ['-m', 'tcp', ...not, '--tcp-option', String(OPTION_NUMBER[option])];
    }
    case 'length':
    case 'window':
      return undefined;
    default:
      return [];
  }
}

const flagWords = (bits: number): string =>
  WORDS.filter(([bit]) => (bits & bit) !== 0)
    .map(([, name]) => name)
    .join(',') || 'NONE';

/** Of values there is one range to a match: several ranges are several rules, or several matches where they are negated. */
function valueAlternatives(term: Term, refuse: Refuse): readonly (readonly string[])[] {
  let alternatives: readonly (readonly string[])[] = [[]];
  for (const { atom, isNegated } of literalsOf(term, 'option-value')) {
    if (atom.name !== 'mss') {
      refuse(
        atom.name,
        'iptables has no words for it, and a program that walks options is longer than 64 instructions: go by nft or tc',
      );
      continue;
    }
    const matches = atom.ranges.map(({ from, to }) => [
      ...['-m', 'tcpmss', ...(isNegated ? ['!'] : []), '--mss', from === to ? String(from) : `${from}:${to}`],
    ]);
    alternatives = isNegated
      ? alternatives.map((words) => [...words, ...matches.flat()])
      : alternatives.flatMap((words) => matches.map((more) => [...words, ...more]));
  }
  return alternatives;
}

function programWords(literals: readonly Literal[], version: IpVersion, refuse: Refuse): readonly string[] {
  if (literals.length === 0) return [];
  const program = matchProgram([literals], { base: 0, versions: [version], yes: 1, no: 0 });
  if (program.length > MAX_INSTRUCTIONS)
    refuse(
      'length or window',
      `the program takes ${program.length} instructions, and iptables takes ${MAX_INSTRUCTIONS}`,
    );
  return ['-m', 'bpf', '--bytecode', bytecode(program)];
}

interface SearchParts {
  readonly version: IpVersion;
  readonly refuse: Refuse;
  readonly native: readonly string[];
  readonly programmed: readonly Literal[];
  readonly alternatives: readonly (readonly string[])[];
}

const IP_HEADER = { 4: 20, 6: 40 } as const;
const TCP_HEADER_WORDS: Range = { from: 5, to: 15 };

/** `-m string` looks from an offset on, and data begins where the TCP header ends: a rule for each length of that header. */
function searchRules(term: Term, parts: SearchParts): readonly (readonly string[])[] {
  const { version, refuse, native, programmed, alternatives } = parts;
  const searches = literalsOf(term, 'contains');
  if (searches.some(({ atom }) => atom.octets.length > MAX_PATTERN))
    refuse('containing', `iptables looks for ${MAX_PATTERN} octets at most`);
  const program = programWords(programmed, version, refuse);
  const rules: string[][] = [];
  for (let words = TCP_HEADER_WORDS.from; words <= TCP_HEADER_WORDS.to; words += 1) {
    const from = IP_HEADER[version] + 4 * words;
    const found = searches.flatMap(({ atom, isNegated }) => [
      ...['-m', 'string', '--algo', 'kmp', '--from', String(from), ...(isNegated ? ['!'] : [])],
      ...['--hex-string', `|${Buffer.from(atom.octets).toString('hex')}|`],
    ]);
    rules.push(
      ...alternatives.map((values) => [
        ...native,
        ...headersWords(words, version),
        ...values,
        ...program,
        ...found,
      ]),
    );
  }
  return rules;
}

/** An IP header without options, and a TCP header of so many words. */
const headersWords = (words: number, version: IpVersion): readonly string[] =>
  version === 4
    ? ['-m', 'u32', '--u32', `0>>24=0x45&&32>>28=${words}`]
    : ['-m', 'u32', '--u32', `52>>28=${words}`];
