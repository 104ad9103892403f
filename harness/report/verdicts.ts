/** Verdicts for the terminal: each check with its sentence, the clauses it rests on, and what was found. */
import type { Judgement, Verdict } from '../check/index.js';
import {
  fold,
  type Glyphs,
  glyphsOf,
  NO_BREAK,
  paint,
  type Span,
  type Style,
  span,
  type Terminal,
} from './terminal.js';

/** A requirement as it is cited; a row of the catalogue fits. */
export interface Citation {
  /** `MUST-13`. */
  readonly id: string;
  readonly rfc?: number;
  /** `3.10.7.4`. */
  readonly section: string;
  /** `MUST`, `SHOULD`, `rule`, … */
  readonly level: string;
}

/** One check and what it said of one trace. */
export interface VerdictEntry {
  readonly id: string;
  readonly sentence: string;
  readonly requirements: readonly Citation[];
  readonly judgement: Pick<Judgement, 'verdict' | 'finding'>;
  /** Why this deviation is as expected. */
  readonly known?: { readonly reason: string; readonly link: string };
  /** What is not as expected although the verdict is good. */
  readonly unexpected?: string;
}

const LOOK: Readonly<Record<Verdict, { readonly glyph: keyof Glyphs; readonly style: Style }>> = {
  pass: { glyph: 'pass', style: 'green' },
  'non-strict': { glyph: 'weak', style: 'yellow' },
  fail: { glyph: 'fail', style: 'red' },
  info: { glyph: 'info', style: 'cyan' },
  inconclusive: { glyph: 'open', style: 'yellow' },
  unsupported: { glyph: 'dash', style: 'dim' },
  error: { glyph: 'fail', style: 'magenta' },
};

/** Wide enough for `inconclusive`. */
const VERDICT_WIDTH = 12;

/** The lines of all checks: symbol, verdict and sentence; below it the finding and the clauses. */
export function verdictLines(entries: readonly VerdictEntry[], terminal: Terminal): readonly string[] {
  return entries.flatMap((entry) => entryLines(entry, terminal));
}

function entryLines(entry: VerdictEntry, terminal: Terminal): readonly string[] {
  const { sentence, requirements, judgement, known, unexpected } = entry;
  const glyphs = glyphsOf(terminal);
  const { glyph, style } = LOOK[unexpected === undefined ? judgement.verdict : 'fail'];
  const indent = 2 + 1 + 1 + VERDICT_WIDTH + 1;
  const width = Math.max(20, terminal.columns - indent);
  const head = [span(`  ${glyphs[glyph]} ${judgement.verdict.padEnd(VERDICT_WIDTH)} `, style)];
  const below = (text: string, style?: Style): readonly (readonly Span[])[] =>
    text === '' ? [] : fold(text, width).map((line) => [span(' '.repeat(indent)), span(line, style)]);
  const [first = '', ...rest] = fold(sentence, width);
  const clauses = requirements
    .map((requirement) => citationText(requirement, glyphs).replaceAll(' ', NO_BREAK))
    .join('; ');
  const found = judgement.finding === '' ? '' : `found: ${judgement.finding}`;
  return [
    [...head, span(first, 'bold')],
    ...rest.map((line) => [span(' '.repeat(indent)), span(line, 'bold')]),
    ...below(found, judgement.verdict === 'pass' ? undefined : style),
    ...below(unexpected ?? '', style),
    ...below(known === undefined ? '' : `known: ${known.reason} (${known.link})`),
    ...below(clauses, 'dim'),
  ].map((spans) => paint(spans, terminal));
}

/** `RFC 9293 §3.10.7.4 MUST-13 (MUST)`; the level is left out where the id says it. */
export function citationText({ id, rfc = 9293, section, level }: Citation, glyphs: Glyphs): string {
  const place = /^\d/.test(section) ? `${glyphs.section}${section}` : section;
  return `RFC ${rfc} ${place} ${id}${id.startsWith(level.split(/[\s(]/)[0] ?? '') ? '' : ` (${level})`}`;
}

/** `5 pass, 1 fail, 2 fail (known)`: how many of each, the graver last. */
export function tally(entries: readonly Pick<VerdictEntry, 'judgement' | 'known' | 'unexpected'>[]): string {
  const order: readonly Verdict[] = [
    'pass',
    'info',
    'non-strict',
    'unsupported',
    'inconclusive',
    'error',
    'fail',
  ];
  const names = entries.map(({ judgement: { verdict }, known, unexpected }) => {
    if (known !== undefined) return `${verdict} (known)`;
    return unexpected === undefined ? verdict : `${verdict} (unexpected)`;
  });
  return order
    .flatMap((verdict) => [verdict, `${verdict} (known)`, `${verdict} (unexpected)`])
    .map((name) => ({ name, count: names.filter((each) => each === name).length }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${count} ${name}`)
    .join(', ');
}
