/** Sets of whole numbers from 0 to some greatest, as sorted ranges that do not touch: what rules compare fields with. */
import type { Numbers } from '../../fault/index.js';

/** Both ends belong to it. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export type Ranges = readonly Range[];

/** The numbers of a match, cut off at the field's greatest value. */
export function rangesOf(numbers: Numbers, most: number): Ranges {
  if (typeof numbers === 'number') return joined([{ from: numbers, to: numbers }], most);
  if ('from' in numbers) return joined([{ from: numbers.from, to: numbers.to ?? most }], most);
  return joined(
    numbers.map((n) => ({ from: n, to: n })),
    most,
  );
}

function joined(ranges: Ranges, most: number): Ranges {
  const all: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    if (from > most || to < from) continue;
    const last = all.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, Math.min(to, most));
    else all.push({ from, to: Math.min(to, most) });
  }
  return all;
}

/** Every other number up to `most`. */
export function complement(ranges: Ranges, most: number): Ranges {
  const others: Range[] = [];
  let from = 0;
  for (const range of ranges) {
    if (range.from > from) others.push({ from, to: range.from - 1 });
    from = range.to + 1;
  }
  return from > most ? others : [...others, { from, to: most }];
}

export const intersection = (a: Ranges, b: Ranges): Ranges =>
  a
    .flatMap((one) => b.map(({ from, to }) => ({ from: Math.max(one.from, from), to: Math.min(one.to, to) })))
    .filter(({ from, to }) => from <= to);

export const includes = (ranges: Ranges, n: number): boolean =>
  ranges.some(({ from, to }) => n >= from && n <= to);
