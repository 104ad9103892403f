/** The options of an expectation against those that came. */
import { option, type Segment, type SeqNumber } from '../../segment/index.js';
import type { ExpectedNumber, ExpectedOptions, ExpectedSegment } from './expected-segment.js';
import { type FieldComparison, matchesNumber, numberText, predicateText, row } from './field-comparison.js';
import type { SeqReading } from './sequence-points.js';

export function compareOptions(
  wanted: ExpectedSegment['options'],
  segment: Segment,
  reading: SeqReading,
): FieldComparison[] {
  if (wanted === undefined) return [];
  if (typeof wanted === 'function') {
    const kinds = segment.options.map(({ kind }) => kind).join(' ');
    return [row('options', predicateText(wanted), kinds || 'none', wanted(segment.options))];
  }
  const timestamps = option(segment, 'timestamps');
  const sack = option(segment, 'sack');
  return [
    ...compareOption('mss', wanted.mss, option(segment, 'mss')?.mss),
    ...compareOption('windowScale', wanted.windowScale, option(segment, 'windowScale')?.shift),
    ...comparePresence('sackPermitted', wanted.sackPermitted, option(segment, 'sackPermitted') !== undefined),
    ...compareTimestamps(wanted.timestamps, timestamps),
    ...compareSack(wanted.sack, sack?.blocks, reading),
    ...comparePresence('fastOpen', wanted.fastOpen, option(segment, 'fastOpen') !== undefined),
  ];
}

const presence = (isThere: boolean): string => (isThere ? 'present' : 'absent');

function comparePresence(field: string, wanted: boolean | undefined, got: boolean): FieldComparison[] {
  return wanted === undefined ? [] : [row(field, presence(wanted), presence(got), wanted === got)];
}

function compareOption(
  field: string,
  wanted: boolean | ExpectedNumber | undefined,
  got: number | undefined,
): FieldComparison[] {
  if (wanted === undefined || typeof wanted === 'boolean')
    return comparePresence(field, wanted, got !== undefined);
  const matches = got !== undefined && matchesNumber(wanted, got);
  return [row(field, numberText(wanted), got === undefined ? 'absent' : String(got), matches)];
}

function compareTimestamps(
  wanted: ExpectedOptions['timestamps'],
  got: { readonly tsVal: number; readonly tsEcr: number } | undefined,
): FieldComparison[] {
  if (wanted === undefined || typeof wanted === 'boolean') {
    return comparePresence('timestamps', wanted, got !== undefined);
  }
  return [
    ...compareOption('tsVal', wanted.tsVal ?? true, got?.tsVal),
    ...compareOption('tsEcr', wanted.tsEcr ?? true, got?.tsEcr),
  ];
}

function compareSack(
  wanted: ExpectedOptions['sack'],
  got: readonly { readonly left: SeqNumber; readonly right: SeqNumber }[] | undefined,
  { resolve, text }: SeqReading,
): FieldComparison[] {
  if (wanted === undefined || typeof wanted === 'boolean') {
    return comparePresence('sack', wanted, got !== undefined);
  }
  // What the other side has received are octets of the peer.
  const blocks = wanted.map(([left, right]) => ({
    left: resolve(left, 'own'),
    right: resolve(right, 'own'),
  }));
  const show = (list: readonly { left: SeqNumber; right: SeqNumber }[]) =>
    list.map(({ left, right }) => `${text(left, 'own')}-${text(right, 'own')}`).join(', ');
  return [
    row('sack', show(blocks), got === undefined ? 'absent' : show(got), show(blocks) === show(got ?? [])),
  ];
}
