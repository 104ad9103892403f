/** What may follow `retransmit(…)` and `haveSegment(…)` in an assertion. */
import { AssertionError } from 'chai';
import type { Side } from '../fault/index.js';
import { type Fate, fateOf, indexesOf, msBetween, type TcpEvent, type Trace } from '../trace/index.js';
import { durationText, plural } from './look.js';
import { judgeBackoff } from './retransmission.js';
import type { Transmissions } from './transmissions.js';
import { excerpt } from './words.js';

export interface RepeatAssertion {
  readonly and: RepeatAssertion;
  /** The waiting time doubled each time. */
  withBackoff(options?: { boundMs?: number }): RepeatAssertion;
  /** Sent again so many times; the first transmission does not count. */
  times(repeats: number): RepeatAssertion;
  /** The last of them came at most so long after the first transmission. */
  within(ms: number): RepeatAssertion;
}

export interface SegmentAssertion {
  readonly and: SegmentAssertion;
  /** One of them was sent by this side: what follows speaks of those. */
  from(side: Side): SegmentAssertion;
  /** One of them was delivered, dropped or held: what follows speaks of those. */
  thatIs(fate: Fate): SegmentAssertion;
  /** There were so many. */
  times(count: number): SegmentAssertion;
}

/** Fails with a sentence and the part of the trace that it is about. */
export function failWith(trace: Trace, sentence: string, events: readonly TcpEvent[] = []): never {
  throw new AssertionError(`${sentence}\n${excerpt(trace, indexesOf(trace, events))}`);
}

export function repeatAssertion(trace: Trace, series: Transmissions): RepeatAssertion {
  const { name, all, first } = series;
  const assertion: RepeatAssertion = {
    get and() {
      return assertion;
    },
    withBackoff({ boundMs } = {}) {
      const { verdict, finding } = judgeBackoff(trace, name, first.facts.flow, boundMs);
      if (verdict === 'pass') return assertion;
      return failWith(trace, `expected ${name} to be retransmitted with backoff: ${finding}`, all);
    },
    times(repeats) {
      const count = all.length - 1;
      if (count === repeats) return assertion;
      return failWith(
        trace,
        `expected ${name} to be retransmitted ${plural(repeats, 'time')}, not ${count}`,
        all,
      );
    },
    within(ms) {
      const tookMs = msBetween(first, all.at(-1) ?? first);
      if (tookMs <= ms) return assertion;
      const took = durationText(tookMs);
      return failWith(
        trace,
        `expected ${name} to be retransmitted within ${durationText(ms)}; it took ${took}`,
        all,
      );
    },
  };
  return assertion;
}

export function segmentAssertion(trace: Trace, what: string, found: readonly TcpEvent[]): SegmentAssertion {
  const narrowed = (which: string, some: readonly TcpEvent[]): SegmentAssertion =>
    some.length > 0
      ? segmentAssertion(trace, `${what} ${which}`, some)
      : failWith(trace, `expected the trace to have ${what} ${which}; there is`, found);
  const assertion: SegmentAssertion = {
    get and() {
      return assertion;
    },
    from: (side) =>
      narrowed(
        `from the ${side}`,
        found.filter(({ facts }) => facts.from === side),
      ),
    thatIs: (fate) =>
      narrowed(
        `that is ${fate}`,
        found.filter((event) => fateOf(event) === fate),
      ),
    times(count) {
      if (found.length === count) return assertion;
      return failWith(
        trace,
        `expected the trace to have ${what} ${plural(count, 'time')}, not ${found.length}`,
        found,
      );
    },
  };
  return assertion;
}
