/**
 * Counts how often each octet of a sequence space was sent, however it was cut into segments. Positions are
 * octets from an origin of the caller's, without wrap.
 */

/** How often something has been sent, and the arrival id of the first time. */
export interface Sent {
  copy: number;
  original: number;
}

/** One more of `before`, or the first. */
export const oneMore = (before: Sent | undefined, id: number): Sent =>
  before === undefined ? { copy: 1, original: id } : { copy: before.copy + 1, original: before.original };

interface Range extends Sent {
  from: number;
  /** Exclusive. */
  to: number;
}

/** Sorted by position, without overlaps. */
export interface SentRanges {
  ranges: Range[];
  /** What lies below this is no longer known: sent there again, it counts as a second copy. */
  forgottenBelow: number;
}

/** Ranges are looked through for old ones only when there are more than this. */
const SPARE_RANGES = 256;
/** Acknowledged ranges that are kept, since a retransmission can cross the acknowledgment under way. */
const KEPT_ACKNOWLEDGED = 64;
/** At most so many ranges for one direction, acknowledged or not: 11 MB in full segments. */
export const MAX_RANGES = 8192;

export const noRanges = (): SentRanges => ({ ranges: [], forgottenBelow: 0 });

/** Counts the octets `[from, to)` as sent by arrival `id`. The answer is that of the first octet. */
export function countSent(sent: SentRanges, from: number, to: number, id: number): Sent {
  const { ranges } = sent;
  const last = ranges.at(-1);
  if (last === undefined || from >= last.to) {
    const copy = from < sent.forgottenBelow ? 2 : 1;
    ranges.push({ from, to, copy, original: id });
    return { copy, original: id };
  }
  const first = firstEndingAfter(ranges, from);
  const { pieces, behind } = overlay(sent, first, { from, to, id });
  ranges.splice(first, behind - first, ...pieces);
  const { copy, original } = pieces.find((piece) => piece.from === from) ?? { copy: 1, original: id };
  return { copy, original };
}

/** Forgets what has long been acknowledged; `acknowledged` is a position. */
export function forgetOld(sent: SentRanges, acknowledged: number): void {
  const { ranges } = sent;
  if (ranges.length <= SPARE_RANGES) return;
  const old = firstEndingAfter(ranges, acknowledged) - KEPT_ACKNOWLEDGED;
  // Not for each one that falls due, since every call moves the whole list.
  const count = ranges.length > MAX_RANGES ? Math.max(old, MAX_RANGES / 2) : old;
  if (count < KEPT_ACKNOWLEDGED) return;
  sent.forgottenBelow = ranges[count - 1]?.to ?? sent.forgottenBelow;
  ranges.splice(0, count);
}

/** Cuts the ranges from index `first` on along the new stretch: what they become, and the index behind the last one touched. */
function overlay(
  { ranges, forgottenBelow }: SentRanges,
  first: number,
  { from, to, id }: { from: number; to: number; id: number },
): { pieces: Range[]; behind: number } {
  const pieces: Range[] = [];
  const gap = (start: number, end: number) => {
    if (start < end)
      pieces.push({ from: start, to: end, copy: start < forgottenBelow ? 2 : 1, original: id });
  };
  let at = from;
  let behind = first;
  for (; behind < ranges.length; behind += 1) {
    const range = ranges[behind];
    if (range === undefined || range.from >= to) break;
    if (range.from < from) pieces.push({ ...range, to: from });
    gap(at, range.from);
    const start = Math.max(range.from, from);
    at = Math.min(range.to, to);
    pieces.push({ from: start, to: at, copy: range.copy + 1, original: range.original });
    if (range.to > to) pieces.push({ ...range, from: to });
  }
  gap(at, to);
  return { pieces, behind };
}

/** Index of the first range that ends behind `position`. */
function firstEndingAfter(ranges: readonly Range[], position: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range !== undefined && range.to > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
