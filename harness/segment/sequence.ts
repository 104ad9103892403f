/** Sequence number arithmetic modulo 2^32 (RFC 9293 section 3.4). */

/** A sequence number, 0 to 2^32 - 1. */
export type SeqNumber = number & { readonly __brand: 'SeqNumber' };

/** The sequence number congruent to `n` modulo 2^32; `n` may be negative or too large. */
export const seqNumber = (n: number): SeqNumber => (n >>> 0) as SeqNumber;

export const seqAdd = (a: SeqNumber, n: number): SeqNumber => seqNumber(a + n);

/** How far `a` is ahead of `b`, from -2^31 to 2^31 - 1. */
export const seqDiff = (a: SeqNumber, b: SeqNumber): number => (a - b) | 0;

export const seqLt = (a: SeqNumber, b: SeqNumber): boolean => seqDiff(a, b) < 0;
export const seqLeq = (a: SeqNumber, b: SeqNumber): boolean => seqDiff(a, b) <= 0;
export const seqGt = (a: SeqNumber, b: SeqNumber): boolean => seqDiff(a, b) > 0;
export const seqGeq = (a: SeqNumber, b: SeqNumber): boolean => seqDiff(a, b) >= 0;

/** Whether `n` is one of the `length` sequence numbers that begin at `start`. */
export const seqInWindow = (n: SeqNumber, start: SeqNumber, length: number): boolean =>
  (n - start) >>> 0 < length;

/** The acceptability test of RFC 9293 section 3.10.7.4 (table 6): does a segment have anything in the receive window? */
export function isAcceptable(
  segment: { readonly seq: SeqNumber; readonly segLen: number },
  receiver: { readonly rcvNxt: SeqNumber; readonly rcvWnd: number },
): boolean {
  const { seq, segLen } = segment;
  const { rcvNxt, rcvWnd } = receiver;
  if (rcvWnd === 0) return segLen === 0 && seq === rcvNxt;
  if (seqInWindow(seq, rcvNxt, rcvWnd)) return true;
  return segLen > 0 && seqInWindow(seqAdd(seq, segLen - 1), rcvNxt, rcvWnd);
}
