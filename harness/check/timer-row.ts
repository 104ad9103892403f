/** What a row of gaps says of the one timer that made them: where it began, how often it doubled, where it stopped growing. */
import type { Trace } from '../trace/index.js';
import { TIMER_LATE_SHARE, toleranceOf } from './tolerances.js';

/** The least and the most, in milliseconds, that a time-out can have been. */
export interface Range {
  readonly leastMs: number;
  readonly mostMs: number;
}

export interface TimerRow {
  /** The first time-out. */
  readonly first: Range;
  /** So many gaps are the first time-out, twice it, four times it and so on. */
  readonly doubling: number;
  /** The time-out of all gaps behind those; absent where there are none. */
  readonly bound?: Range;
}

/** The time-outs that may have made a gap: a timer is never early, and late by its share at most. */
function timeoutOf(gapMs: number, trace: Pick<Trace, 'lab'>): Range {
  const { earlyMs, lateMs } = toleranceOf(trace);
  return { leastMs: Math.max(0, gapMs - lateMs) / (1 + TIMER_LATE_SHARE), mostMs: gapMs + earlyMs };
}

const both = (a: Range, b: Range): Range => ({
  leastMs: Math.max(a.leastMs, b.leastMs),
  mostMs: Math.min(a.mostMs, b.mostMs),
});

const times = ({ leastMs, mostMs }: Range, factor: number): Range => ({
  leastMs: leastMs * factor,
  mostMs: mostMs * factor,
});

const isEmpty = ({ leastMs, mostMs }: Range): boolean => leastMs > mostMs;

/** Undefined where no time-out that doubles up to a bound can have made these gaps. */
export function timerRowOf(gapsMs: readonly number[], trace: Pick<Trace, 'lab'>): TimerRow | undefined {
  const ranges = gapsMs.map((ms) => timeoutOf(ms, trace));
  let first: Range = { leastMs: 0, mostMs: Number.POSITIVE_INFINITY };
  let doubling = 0;
  for (const range of ranges) {
    const narrowed = both(first, times(range, 2 ** -doubling));
    if (isEmpty(narrowed)) break;
    first = narrowed;
    doubling += 1;
  }
  const rest = ranges.slice(doubling);
  if (rest.length === 0) return { first, doubling };
  // Growth stops between the last of the doubling gaps and twice that.
  const last = times(first, 2 ** (doubling - 1));
  const bound = rest.reduce(both, { leastMs: last.leastMs, mostMs: 2 * last.mostMs });
  return isEmpty(bound) ? undefined : { first, doubling, bound };
}
