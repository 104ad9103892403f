/** An expectation against the segment that came. */
import {
  FLAG,
  type Flags,
  flagsText,
  parseFlags,
  type Segment,
  type SeqNumber,
  seqGeq,
  seqLeq,
} from '../../segment/index.js';
import { compareOptions } from './compare-options.js';
import type { ExpectedFlags, ExpectedNumber, ExpectedSegment, ExpectedSeq } from './expected-segment.js';
import { type FieldComparison, matchesNumber, numberText, predicateText, row } from './field-comparison.js';
import type { SeqReading } from './sequence-points.js';

/** Compares each field that the script named, in the order of the header. */
export function compareSegment(
  expected: ExpectedSegment,
  segment: Segment,
  reading: SeqReading,
): FieldComparison[] {
  const rows: FieldComparison[] = [];
  const number = (field: string, wanted: ExpectedNumber | undefined, got: number) => {
    if (wanted !== undefined)
      rows.push(row(field, numberText(wanted), String(got), matchesNumber(wanted, got)));
  };
  if (expected.flags !== undefined) rows.push(compareFlags(expected.flags, segment.flags));
  if (expected.seq !== undefined) rows.push(compareSeq('seq', expected.seq, segment.seq, reading));
  if (expected.ack !== undefined) {
    const hasAck = (segment.flags & FLAG.ACK) !== 0;
    const compared = compareSeq('ack', expected.ack, segment.ack, reading);
    rows.push(hasAck ? compared : { ...compared, got: 'no ACK bit', matches: false });
  }
  number('window', expected.window, segment.window);
  number('urgentPointer', expected.urgentPointer, segment.urgentPointer);
  number('srcPort', expected.srcPort, segment.srcPort);
  number('dstPort', expected.dstPort, segment.dstPort);
  number('ttl', expected.ttl, segment.ip.ttl);
  number('trafficClass', expected.trafficClass, segment.ip.trafficClass);
  rows.push(...compareOptions(expected.options, segment, reading));
  number('payloadOctets', expected.payloadOctets, segment.payload.length);
  if (expected.payload !== undefined) rows.push(comparePayload(expected.payload, segment.payload));
  return rows;
}

function compareFlags(wanted: ExpectedFlags, got: Flags): FieldComparison {
  const shown = flagsText(got);
  if (typeof wanted === 'function') return row('flags', predicateText(wanted), shown, wanted(got));
  if (typeof wanted === 'object') {
    const has = parseFlags(wanted.has ?? '');
    const not = parseFlags(wanted.not ?? '');
    const words = [
      ...(has === 0 ? [] : [flagsText(has)]),
      ...(not === 0 ? [] : [`without ${flagsText(not)}`]),
    ];
    return row('flags', `has ${words.join(' ')}`, shown, (got & has) === has && (got & not) === 0);
  }
  const exact = typeof wanted === 'string' ? parseFlags(wanted) : wanted;
  const counted = typeof wanted === 'string' && (exact & FLAG.PSH) === 0 ? got & ~FLAG.PSH : got;
  return row('flags', flagsText(exact), shown, exact === counted);
}

function compareSeq(
  field: 'seq' | 'ack',
  wanted: ExpectedSeq,
  got: SeqNumber,
  { resolve, text }: SeqReading,
): FieldComparison {
  const space = field === 'seq' ? 'other' : 'own';
  const shown = text(got, space);
  if (typeof wanted === 'function') return row(field, predicateText(wanted), shown, wanted(got));
  if (typeof wanted !== 'object') {
    const exact = resolve(wanted, space);
    const named = typeof wanted === 'string' ? `${exact} (${wanted})` : text(exact, space);
    return row(field, named, shown, exact === got);
  }
  const from = wanted.from === undefined ? undefined : resolve(wanted.from, space);
  const to = wanted.to === undefined ? undefined : resolve(wanted.to, space);
  const matches = (from === undefined || seqGeq(got, from)) && (to === undefined || seqLeq(got, to));
  return row(field, `${wanted.from ?? '…'} to ${wanted.to ?? '…'}`, shown, matches);
}

function comparePayload(wanted: NonNullable<ExpectedSegment['payload']>, got: Uint8Array): FieldComparison {
  if (typeof wanted === 'function')
    return row('payload', predicateText(wanted), payloadText(got), wanted(got));
  const bytes = typeof wanted === 'string' ? new TextEncoder().encode(wanted) : wanted;
  const matches = bytes.length === got.length && bytes.every((octet, i) => octet === got[i]);
  return row('payload', payloadText(bytes), payloadText(got), matches);
}

const MOST_SHOWN = 24;

function payloadText(bytes: Uint8Array): string {
  const head = String.fromCharCode(...bytes.subarray(0, MOST_SHOWN));
  const rest = bytes.length > MOST_SHOWN ? `… (${bytes.length} octets)` : '';
  return `${JSON.stringify(head)}${rest}`;
}
