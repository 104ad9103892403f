/** Segments that a script passes over while it waits for another. */
import { FLAG, type Segment, type SeqNumber, segLen, seqAdd, seqLeq } from '../../segment/index.js';
import { compareSegment } from './compare-segment.js';
import type { ExpectedSegment } from './expected-segment.js';
import type { SeqReading } from './sequence-points.js';

/**
 * - `duplicates`: retransmissions of what the script has taken already
 * - `pure-acks`: ACK and nothing else, no data
 * - a partial segment: all that match it; a function: all for which it says true
 */
export type Skip = 'duplicates' | 'pure-acks' | ExpectedSegment | ((segment: Segment) => boolean);

export function isSkipped(
  skip: Skip,
  {
    segment,
    rcvNxt,
    reading,
  }: { readonly segment: Segment; readonly rcvNxt: SeqNumber | undefined; readonly reading: SeqReading },
): boolean {
  if (skip === 'duplicates') {
    const length = segLen(segment);
    return length > 0 && rcvNxt !== undefined && seqLeq(seqAdd(segment.seq, length), rcvNxt);
  }
  if (skip === 'pure-acks') return segment.flags === FLAG.ACK && segment.payload.length === 0;
  if (typeof skip === 'function') return skip(segment);
  return compareSegment(skip, segment, reading).every(({ matches }) => matches);
}
