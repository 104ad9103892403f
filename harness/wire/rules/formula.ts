/** A match as a formula of atoms, as far as one packet decides it; what needs a memory is refused with the reason. */
import {
  type FlagsMatch,
  type Match,
  matchLine,
  type OptionsMatch,
  type PayloadMatch,
  type RoleWord,
} from '../../fault/index.js';
import { FLAG, type FlagName } from '../../segment/index.js';
import { type Atom, MOST, type OptionValueName } from './atom.js';
import { rangesOf } from './ranges.js';
import { BY_THE_WIRE, type Refuse } from './refusal.js';

export type Formula =
  | { readonly atom: Atom }
  | { readonly all: readonly Formula[] }
  | { readonly any: readonly Formula[] }
  | { readonly not: Formula };

const ALL_BITS = 0xfff;

/** Refused parts count as true: the caller looks at what was refused. */
export function formulaOf(match: Match, refuse: Refuse): Formula {
  const { role, sender, flags, window, options, payload, allOf, anyOf, not } = match;
  refuseMemory(match, refuse);
  const all: Formula[] = [];
  if (role !== undefined) all.push(roleFormula(role, refuse));
  if (sender !== undefined) all.push({ atom: { kind: 'sender', side: sender } });
  if (flags !== undefined) all.push(...flagFormulas(flags));
  if (window !== undefined)
    all.push({ atom: { kind: 'window', ranges: rangesOf(window, Number.MAX_SAFE_INTEGER) } });
  if (options !== undefined) all.push(...optionFormulas(options));
  if (payload !== undefined) all.push(...payloadFormulas(payload));
  if (allOf !== undefined) all.push(...allOf.map((each) => formulaOf(each, refuse)));
  if (anyOf !== undefined) all.push({ any: anyOf.map((each) => formulaOf(each, refuse)) });
  if (not !== undefined) all.push({ not: formulaOf(not, refuse) });
  return { all };
}

/** Clauses that one packet cannot decide, with the reason. */
const NEEDS_MEMORY: readonly (readonly [name: keyof Match, why: string])[] = [
  ['flow', 'connections are numbered by who follows them'],
  ['nth', 'which segment is a first transmission is known to who remembers what was sent'],
  ['copies', 'which transmission it is, is known to who remembers what was sent'],
  ['atMost', 'a rule counts what a whole fault picks, and not a part of it'],
  ['relSeq', 'relative numbers need the ISS of the connection'],
  ['relAck', 'relative numbers need the ISS of the connection'],
  ['covers', 'relative numbers need the ISS of the connection'],
  ['acknowledges', 'what it acknowledges is known to who remembers what was sent'],
  ['since', 'a time counts for a whole fault, and not for a part of it'],
];

function refuseMemory(match: Match, refuse: Refuse): void {
  for (const [name, why] of NEEDS_MEMORY)
    if (match[name] !== undefined) refuse(clauseText({ [name]: match[name] }), `${why}: ${BY_THE_WIRE}`);
}

/** Without the word for any segment, which says nothing here. */
export const clauseText = (clause: Match): string => matchLine(clause).replace(/ ?\b(of )?segment\b ?/, '');

const control = (mask: number, value: number): Formula => ({ atom: { kind: 'flags', mask, value } });
const hasLength = (from: number, to: number): Formula => ({
  atom: { kind: 'length', ranges: [{ from, to }] },
});

const { SYN, ACK, FIN, RST } = FLAG;

const FOLLOWS = 'only who follows the connection knows which segment that is';

/** As `segment-roles.ts` has it, where the segment alone tells. */
const ROLES: Readonly<Record<RoleWord, Formula | string>> = {
  syn: control(SYN | ACK | RST, SYN),
  'syn-ack': control(SYN | ACK | RST, SYN | ACK),
  fin: control(FIN | RST, FIN),
  rst: control(RST, RST),
  data: { all: [control(RST, 0), hasLength(1, MOST.length)] },
  'pure-ack': { all: [control(SYN | ACK | FIN | RST, ACK), hasLength(0, 0)] },
  'handshake-ack': FOLLOWS,
  'active-fin': FOLLOWS,
  'active-fin-ack': FOLLOWS,
  'passive-fin': FOLLOWS,
  'final-ack': FOLLOWS,
  'keep-alive': 'it is told by its sequence number, which lies before what was sent',
  'window-probe': 'it is told by the window that its sender was given last',
};

function roleFormula(role: RoleWord, refuse: Refuse): Formula {
  const formula = ROLES[role];
  if (typeof formula !== 'string') return formula;
  refuse(role, `${formula}: ${BY_THE_WIRE}`);
  return { all: [] };
}

const bits = (names: readonly FlagName[]): number => names.reduce((mask, name) => mask | FLAG[name], 0);

function flagFormulas({ all, none, exactly }: FlagsMatch): Formula[] {
  return [
    ...(all === undefined ? [] : [control(bits(all), bits(all))]),
    ...(none === undefined ? [] : [control(bits(none), 0)]),
    ...(exactly === undefined ? [] : [control(ALL_BITS, bits(exactly))]),
  ];
}

const VALUE_NAMES = ['mss', 'windowScale', 'tsVal', 'tsEcr'] as const satisfies readonly OptionValueName[];

function optionFormulas({ present = [], absent = [], ...values }: OptionsMatch): Formula[] {
  return [
    ...present.map((option): Formula => ({ atom: { kind: 'option', option } })),
    ...absent.map((option): Formula => ({ not: { atom: { kind: 'option', option } } })),
    ...VALUE_NAMES.flatMap((name): Formula[] => {
      const numbers = values[name];
      if (numbers === undefined) return [];
      return [{ atom: { kind: 'option-value', name, ranges: rangesOf(numbers, MOST[name]) } }];
    }),
  ];
}

function payloadFormulas({ length, contains, containsHex }: PayloadMatch): Formula[] {
  const octets = [
    ...(contains === undefined ? [] : [new TextEncoder().encode(contains)]),
    ...(containsHex === undefined ? [] : [Uint8Array.from(Buffer.from(containsHex, 'hex'))]),
  ];
  return [
    ...(length === undefined
      ? []
      : [{ atom: { kind: 'length', ranges: rangesOf(length, MOST.length) } } as const]),
    ...octets.map((each): Formula => ({ atom: { kind: 'contains', octets: each } })),
  ];
}
