/** Sequence numbers that a fault gives in words: `iss+1`, `next-100`, `same`. */
import { FLAG, hasFlags, type SeqNumber, seqAdd, seqNumber } from '../segment/index.js';
import type { SeqBase, SeqPoint } from './action.js';
import type { Arrival, FlowFacts, Side } from './flow.js';

const SEQ_POINT = /^(iss|next|same)(?:([+-])(\d{1,10}))?$/;

export const isSeqPoint = (text: string): text is Exclude<SeqPoint, number> => SEQ_POINT.test(text);

/** A number that the matched segment does not tell. */
export class UnknownNumber extends Error {}

/** The sequence number of `side` that a point means, as the matched segment shows it. Throws `UnknownNumber`. */
export function resolveSeq(point: SeqPoint, side: Side, arrival: Arrival, facts: FlowFacts): SeqNumber {
  if (typeof point === 'number') return seqNumber(point);
  const [, base = 'same', sign = '+', offset = '0'] = SEQ_POINT.exec(point) ?? [];
  const from = baseNumber(base as SeqBase, side, arrival, facts); // one of the three words of the pattern
  if (from === undefined) throw new UnknownNumber(`the segment does not tell the ${side}'s ${base}`);
  return seqAdd(from, sign === '-' ? -Number(offset) : Number(offset));
}

function baseNumber(
  base: SeqBase,
  side: Side,
  { segment, from }: Arrival,
  facts: FlowFacts,
): SeqNumber | undefined {
  const isOwn = side === from;
  if (base === 'same') return isOwn ? segment.seq : segment.ack;
  if (base === 'next') {
    if (isOwn) return seqAdd(segment.seq, facts.len);
    return hasFlags(segment, FLAG.ACK) ? segment.ack : undefined;
  }
  const [number, relative] = isOwn ? [segment.seq, facts.relSeq] : [segment.ack, facts.relAck];
  return relative === undefined ? undefined : seqAdd(number, -relative);
}
