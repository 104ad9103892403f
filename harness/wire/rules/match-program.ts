/**
 * Alternatives of literals as a program of classic BPF. It reads the octets as `harness/segment` does, options included, so
 * that it picks what the matcher picks. What it cannot read ends it with "no" (the machine's own rule for a read beyond the end).
 */
import { ipBytes, OPTION_NUMBER, type OptionKind } from '../../segment/index.js';
import { type Atom, type Literal, literalsOf, MOST, OPTION_OF, type Term } from './atom.js';
import { Assembler, type Instruction } from './cbpf.js';
import type { Direction, IpVersion } from './place.js';
import type { Ranges } from './ranges.js';

export interface ProgramOptions {
  /** Octets before the IP header: 14 of Ethernet for tc, none for iptables. */
  readonly base: 0 | 14;
  readonly versions: readonly IpVersion[];
  /** What tells the sides apart; none where the caller's rule has told already. */
  readonly directions?: readonly Direction[];
  readonly yes: number;
  readonly no: number;
}

/** The 16 words of the machine's memory. */
const MEMORY = {
  /** Where TCP begins, from the IP header on. */
  tcpAt: 0,
  /** Where the data begins. */
  dataAt: 1,
  /** Octets of data. */
  length: 2,
  /** 1 from the client, 2 from the server. */
  sender: 3,
  total: 4,
  /** Where the option begins that is looked at. */
  start: 5,
  /** From here on: where the first option of each kind that is asked for stands, 0 for none. */
  options: 6,
} as const;
const MAX_OPTION_KINDS = 16 - MEMORY.options;

const MATCH = 'match';
const MISS = 'miss';

/** Throws a `ProgramTooLarge` where there is no room for what is asked for. */
export function matchProgram(terms: readonly Term[], options: ProgramOptions): readonly Instruction[] {
  const kinds = [...new Set(terms.flatMap((term) => term.flatMap(({ atom }) => optionOf(atom) ?? [])))];
  if (kinds.includes('unknown'))
    throw new ProgramTooLarge('which options are unknown is told by knowing all others: it goes by the wire');
  if (kinds.length > MAX_OPTION_KINDS)
    throw new ProgramTooLarge(`it asks for more than ${MAX_OPTION_KINDS} kinds of options`);
  const asm = new Assembler();
  beginning(asm, options);
  const needsData =
    kinds.length > 0 || terms.some((term) => term.some(({ atom }) => NEEDS_DATA.has(atom.kind)));
  if (needsData) measureData(asm, options);
  if (kinds.length > 0) walkOptions(asm, kinds, options);
  for (const term of terms) {
    const otherwise = asm.fresh();
    for (const literal of term) literalCode(asm, literal, { no: otherwise, kinds, options, term });
    asm.goto(MATCH).label(otherwise);
  }
  asm.label(MISS).add('ret', options.no).label(MATCH).add('ret', options.yes);
  const program = asm.assemble();
  if (program.length > MAX_INSTRUCTIONS)
    throw new ProgramTooLarge(
      `it takes ${program.length} instructions, and tc has room for ${MAX_INSTRUCTIONS}`,
    );
  return program;
}

export class ProgramTooLarge extends Error {
  override readonly name = 'ProgramTooLarge';
}

const NEEDS_DATA: ReadonlySet<Atom['kind']> = new Set(['length', 'contains']);

const optionOf = (atom: Atom): OptionKind | undefined =>
  atom.kind === 'option' ? atom.option : atom.kind === 'option-value' ? OPTION_OF[atom.name] : undefined;

const ETHERTYPE = { 4: 0x0800, 6: 0x86dd } as const;
const TCP = 6;
const IPV6_HEADER = 40;
const NOT_FIRST_OR_MORE = 0x3fff;

/** Is it TCP, where does it begin, and which side is it from? Fragments and extension headers are not looked into. */
function beginning(asm: Assembler, { base, versions, directions }: ProgramOptions): void {
  const common = asm.fresh();
  versions.forEach((version, i) => {
    const isLast = i === versions.length - 1;
    const other = isLast ? MISS : asm.fresh();
    if (base > 0) asm.add('ld half', 12).jump('jeq', ETHERTYPE[version], { no: other });
    else if (versions.length > 1) asm.add('ld byte', 0).add('rsh imm', 4).jump('jeq', version, { no: other });
    asm.add('ld byte', base + (version === 4 ? 9 : 6)).jump('jeq', TCP, { no: MISS });
    if (version === 4) asm.add('ld half', base + 6).jump('jset', NOT_FIRST_OR_MORE, { yes: MISS });
    if (version === 4) asm.add('ldx ihl', base).add('ld half', base + 2);
    else
      asm
        .add('ldx imm', IPV6_HEADER)
        .add('ld half', base + 4)
        .add('add imm', IPV6_HEADER);
    asm.add('st', MEMORY.total).add('stx', MEMORY.tcpAt);
    if (directions !== undefined) findSender(asm, directions, base, version);
    if (!isLast) asm.goto(common).label(other);
  });
  asm.label(common);
}

function findSender(
  asm: Assembler,
  directions: readonly Direction[],
  base: number,
  version: IpVersion,
): void {
  const done = asm.fresh();
  directions.forEach((direction, i) => {
    const otherwise = i === directions.length - 1 ? MISS : asm.fresh();
    const [srcAt, dstAt] = version === 4 ? [12, 16] : [8, 24];
    for (const [address, at] of [
      [direction.src, srcAt],
      [direction.dst, dstAt],
    ] as const)
      if (address !== undefined) compareAddress(asm, ipBytes(address), base + at, otherwise);
    for (const [port, at] of [
      [direction.srcPort, 0],
      [direction.dstPort, 2],
    ] as const)
      if (port !== undefined) asm.add('ld half x', base + at).jump('jeq', port, { no: otherwise });
    asm.add('ld imm', direction.from === 'client' ? 1 : 2).add('st', MEMORY.sender);
    if (otherwise !== MISS) asm.goto(done).label(otherwise);
  });
  asm.label(done);
}

function compareAddress(asm: Assembler, octets: Uint8Array, at: number, otherwise: string): void {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  for (let i = 0; i < octets.length; i += 4)
    asm.add('ld word', at + i).jump('jeq', view.getUint32(i), { no: otherwise });
}

/** The data begins behind the TCP header, and ends with the IP packet: what Ethernet pads with is no data. */
function measureData(asm: Assembler, { base }: ProgramOptions): void {
  asm
    .add('ldx mem', MEMORY.tcpAt)
    .add('ld byte x', base + 12)
    .add('rsh imm', 2)
    .add('and imm', 0x3c)
    .add('add x')
    .add('st', MEMORY.dataAt)
    .add('tax')
    .add('ld mem', MEMORY.total)
    .add('sub x')
    .add('st', MEMORY.length);
}

interface Context {
  readonly no: string;
  readonly kinds: readonly OptionKind[];
  readonly options: ProgramOptions;
  readonly term: Term;
}

const slotOf = (kinds: readonly OptionKind[], kind: OptionKind): number =>
  MEMORY.options + kinds.indexOf(kind);

/** Falls through where it holds. */
function literalCode(asm: Assembler, { atom, isNegated }: Literal, context: Context): void {
  const { no, kinds, options, term } = context;
  const { base } = options;
  // A negated literal holds where the plain one goes to `no`.
  const holds = asm.fresh();
  const fails = isNegated ? holds : no;
  switch (atom.kind) {
    case 'sender':
      if (options.directions === undefined) throw new Error('nothing tells the sides apart');
      asm.add('ld mem', MEMORY.sender).jump('jeq', atom.side === 'client' ? 1 : 2, { no: fails });
      break;
    case 'flags':
      asm
        .add('ldx mem', MEMORY.tcpAt)
        .add('ld half x', base + 12)
        .add('and imm', atom.mask)
        .jump('jeq', atom.value, { no: fails });
      break;
    case 'window':
      asm.add('ldx mem', MEMORY.tcpAt).add('ld half x', base + 14);
      rangesCode(asm, atom.ranges, fails);
      break;
    case 'length':
      asm.add('ld mem', MEMORY.length);
      rangesCode(asm, atom.ranges, fails);
      break;
    case 'option':
      asm.add('ld mem', slotOf(kinds, atom.option)).jump('jeq', 0, { yes: fails });
      break;
    case 'option-value': {
      const { size, at } = VALUES[atom.name];
      const slot = slotOf(kinds, OPTION_OF[atom.name]);
      asm
        .add('ld mem', slot)
        .jump('jeq', 0, { yes: fails })
        .add('tax')
        .add(`ld ${size} x`, base + at);
      rangesCode(asm, atom.ranges, fails);
      break;
    }
    case 'contains':
      containsCode(asm, atom.octets, { most: mostData(term), fails, base });
      break;
  }
  if (isNegated) asm.goto(no);
  asm.label(holds);
}

const VALUES = {
  mss: { size: 'half', at: 2 },
  windowScale: { size: 'byte', at: 2 },
  tsVal: { size: 'word', at: 2 },
  tsEcr: { size: 'word', at: 6 },
} as const;

/** Falls through where A is in one of the ranges. */
function rangesCode(asm: Assembler, ranges: Ranges, no: string): void {
  const yes = asm.fresh();
  ranges.forEach(({ from, to }, i) => {
    const isLast = i === ranges.length - 1;
    const next = isLast ? no : asm.fresh();
    if (from === to) asm.jump('jeq', from, isLast ? { no } : { yes });
    else {
      if (from > 0) asm.jump('jge', from, { no: next });
      // Ranges are sorted: beyond this one the next may hold.
      asm.jump('jgt', to, { yes: next });
      if (!isLast) asm.goto(yes);
    }
    if (!isLast) asm.label(next);
  });
  if (ranges.length === 0) asm.goto(no);
  asm.label(yes);
}

const MAX_OPTIONS = 40;

/** The lengths that make an option of its kind, as `decode-options.ts` has them. */
const LENGTHS: Readonly<Record<Exclude<OptionKind, 'eol' | 'nop' | 'unknown'>, Ranges>> = {
  mss: [{ from: 4, to: 4 }],
  windowScale: [{ from: 3, to: 3 }],
  sackPermitted: [{ from: 2, to: 2 }],
  sack: [10, 18, 26, 34].map((n) => ({ from: n, to: n })),
  timestamps: [{ from: 10, to: 10 }],
  md5: [{ from: 18, to: 18 }],
  userTimeout: [{ from: 4, to: 4 }],
  ao: [{ from: 4, to: MAX_OPTIONS }],
  fastOpen: [{ from: 2, to: MAX_OPTIONS }],
};

type SizedKind = keyof typeof LENGTHS;
const SIZED_KINDS = Object.keys(LENGTHS) as SizedKind[]; // the keys of a literal are its names

/** Notes where the first of each kind stands. Unrolled, for the machine has no loops: one step for each option that may be there. */
function walkOptions(asm: Assembler, kinds: readonly OptionKind[], { base }: ProgramOptions): void {
  const done = asm.fresh();
  asm.add('ld imm', 0);
  for (const kind of kinds) asm.add('st', slotOf(kinds, kind));
  asm.add('ld mem', MEMORY.tcpAt).add('add imm', 20).add('tax');
  for (let step = 0; step < MAX_OPTIONS; step += 1) optionStep(asm, kinds, { base, done });
  asm.label(done);
}

interface Step {
  readonly base: number;
  readonly done: string;
}

/** X is where the option begins, and afterwards where the next one does: few instructions, since all is there forty times. */
function optionStep(asm: Assembler, kinds: readonly OptionKind[], { base, done }: Step): void {
  const [more, single, long, eol] = [asm.fresh(), asm.fresh(), asm.fresh(), asm.fresh()] as const;
  const [out, skip, advance] = [asm.fresh(), asm.fresh(), asm.fresh()] as const;
  const note = (kind: OptionKind) => (kinds.includes(kind) ? asm.add('stx', slotOf(kinds, kind)) : asm);
  // An option that was longer than the header has led beyond it.
  asm.add('ld mem', MEMORY.dataAt).add('sub x').jump('jgt', MAX_OPTIONS, { yes: out });
  asm.jump('jgt', 1, { yes: more });
  // In the last octet there is one without a length, or none.
  asm.jump('jeq', 0, { yes: out }).add('ld byte x', base).jump('jgt', 1, { yes: out, no: single });
  asm.label(more).add('ld byte x', base).jump('jgt', 1, { yes: long });
  asm.label(single).jump('jeq', OPTION_NUMBER.eol, { yes: eol });
  note('nop').add('ld imm', 1).goto(advance);
  asm.label(eol);
  note('eol').label(out).goto(done);
  asm.label(long);
  for (const kind of SIZED_KINDS)
    if (kinds.includes(kind)) noteOption(asm, kind, { base, skip, slot: slotOf(kinds, kind) });
  asm
    .label(skip)
    .add('ld byte x', base + 1)
    .jump('jge', 2, { yes: advance })
    .goto(done);
  asm.label(advance).add('add x').add('tax');
}

/** A = its kind. It must have a length of that kind, and lie in the header. */
function noteOption(
  asm: Assembler,
  kind: SizedKind,
  { base, skip, slot }: { readonly base: number; readonly skip: string; readonly slot: number },
): void {
  const other = asm.fresh();
  const lengths = LENGTHS[kind];
  asm.jump('jeq', OPTION_NUMBER[kind], { no: other }).add('ld byte x', base + 1);
  rangesCode(asm, lengths, skip);
  const [only] = lengths;
  if (lengths.length === 1 && only !== undefined && only.from === only.to)
    asm.add('ld mem', MEMORY.dataAt).add('sub x').jump('jge', only.from, { no: skip });
  else {
    const [fits, beyond] = [asm.fresh(), asm.fresh()];
    asm
      .add('ld byte x', base + 1)
      .add('add x')
      .add('stx', MEMORY.start)
      .add('tax');
    asm.add('ld mem', MEMORY.dataAt).jump('jge x', 0, { yes: fits, no: beyond });
    asm.label(beyond).add('ldx mem', MEMORY.start).goto(skip);
    asm.label(fits).add('ldx mem', MEMORY.start);
  }
  // The first of a kind stays.
  asm.add('ld mem', slot).jump('jeq', 0, { no: skip }).add('stx', slot).goto(skip);
  asm.label(other);
}

/** As many as tc's message to the kernel has room for (16 kB); the kernel itself would take 4096. */
export const MAX_INSTRUCTIONS = 2000;

interface Search {
  /** Octets of data that there are at most. */
  readonly most: number;
  readonly fails: string;
  readonly base: number;
}

/** Unrolled as well: it looks at each place where the octets may begin. */
function containsCode(asm: Assembler, octets: Uint8Array, { most, fails, base }: Search): void {
  const pieces = piecesOf(octets);
  const places = most - octets.length + 1;
  if (places * (2 * pieces.length + 3) > MAX_INSTRUCTIONS)
    throw new ProgramTooLarge(
      'a search takes instructions for each place where it may be found: say how long the data is, such as "of 1..200 octets"',
    );
  const found = asm.fresh();
  asm.add('ldx mem', MEMORY.dataAt);
  for (let place = 0; place < places; place += 1) {
    const next = asm.fresh();
    asm.add('ld mem', MEMORY.length).jump('jge', place + octets.length, { no: fails });
    for (const { at, size, value } of pieces)
      asm.add(`ld ${size} x`, base + place + at).jump('jeq', value, { no: next });
    asm.goto(found).label(next);
  }
  asm.goto(fails).label(found);
}

interface Piece {
  readonly at: number;
  readonly size: 'word' | 'half' | 'byte';
  readonly value: number;
}

/** What is loaded at once: words, then what is left. */
function piecesOf(octets: Uint8Array): readonly Piece[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const pieces: Piece[] = [];
  let at = 0;
  for (; at + 4 <= octets.length; at += 4) pieces.push({ at, size: 'word', value: view.getUint32(at) });
  for (; at + 2 <= octets.length; at += 2) pieces.push({ at, size: 'half', value: view.getUint16(at) });
  for (; at < octets.length; at += 1) pieces.push({ at, size: 'byte', value: view.getUint8(at) });
  return pieces;
}

const mostData = (term: Term): number =>
  Math.min(MOST.length, ...literalsOf(term, 'length').map(({ atom }) => atom.ranges.at(-1)?.to ?? 0));
