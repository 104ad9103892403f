/** The retransmission timer by the gaps that it leaves: one time-out that doubles each time, up to a bound (RFC 6298). */
import type { TcpEvent, Trace } from '../trace/index.js';
import { changeEvents, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, nonStrict, passes } from './define.js';
import { durationText, plural, secondsText } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { fileName, isOpening, stackTransmissions } from './retransmission.js';
import { type Range, type TimerRow, timerRowOf } from './timer-row.js';
import { EVEN_SHARE, LEAST_RTO_BOUND_MS } from './tolerances.js';
import { type Gap, gapsOf, nounOf, parseSegmentName, type SegmentName, timerGaps } from './transmissions.js';

/** The gaps of a segment's timer, and what they say of it. */
interface Shown {
  readonly first: TcpEvent;
  readonly gaps: readonly Gap[];
  /** Of the gaps behind `skipped`. */
  readonly row: TimerRow | undefined;
  /** Gaps at the head that do not belong to the row: a loss probe's, or the even ones of a SYN. */
  readonly skipped: number;
}

/** Fewer gaps show no growth. */
const LEAST_GAPS = 3;

function shownTimer(trace: Trace, name: SegmentName, flow: number): Shown {
  const series = stackTransmissions(trace, name, flow);
  const all = gapsOf(trace, series);
  // The answers to window probes tell that the window is shut; they do not stop the timer.
  const gaps = isProbe(name) ? all : timerGaps(all);
  if (gaps.length < LEAST_GAPS)
    throw new NotShown(
      `${name} was repeated by a timer ${plural(gaps.length, 'time')}: that shows no growth`,
    );
  const rowFrom = (skipped: number) =>
    timerRowOf(
      gaps.slice(skipped).map(({ ms }) => ms),
      trace,
    );
  for (const skipped of [0, leadOf(name, gaps)]) {
    const row = rowFrom(skipped);
    if (row !== undefined && row.doubling > 1) return { first: series.first, gaps, row, skipped };
  }
  return { first: series.first, gaps, row: rowFrom(0), skipped: 0 };
}

const isProbe = (name: string): boolean => parseSegmentName(name).roles.includes('window-probe');
const isSyn = (name: string): boolean => parseSegmentName(name).roles.includes('syn');

/**
 * Gaps at the head that may be another timer's: that of a tail loss probe (RFC 8985), which comes before the first time-out;
 * and Linux repeats a SYN at even distance at first (tcp_syn_linear_timeouts, since 6.5).
 */
function leadOf(name: string, gaps: readonly Gap[]): number {
  if (!isSyn(name)) return isOpening(name) || isProbe(name) ? 0 : 1;
  const [first] = gaps;
  const grown = gaps.findIndex(({ ms }) => first !== undefined && ms > first.ms * (1 + EVEN_SHARE));
  return Math.max(0, grown - 1);
}

const rangeText = ({ leastMs, mostMs }: Range): string =>
  `${durationText(leastMs)} to ${durationText(mostMs)}`;

const gapsText = (name: string, gaps: readonly Gap[]): string =>
  `${name} repeated after gaps of ${secondsText(gaps.map(({ ms }) => ms))}`;

const eventsOf = ({ first, gaps }: Shown): readonly TcpEvent[] => [first, ...gaps.map(({ to }) => to)];

/** Each gap follows from one and the same first time-out. */
export function rtoDoubles(name: SegmentName, { flow = 1 }: OnFlow = {}): Check {
  const probes = isProbe(name);
  return check({
    id: idOn(`${fileName(name)}-timer-doubles`, flow),
    sentence: `One time-out explains all gaps between repeats of a ${nounOf(name)}: it doubles each time, up to a bound.`,
    requirements: probes ? ['SHLD-30'] : ['R6298-15', 'R6298-16'],
    judge(trace) {
      const shown = shownTimer(trace, name, flow);
      const { row, gaps, skipped } = shown;
      const [found, events] = [gapsText(name, gaps), eventsOf(shown)];
      const isLow = row?.bound !== undefined && row.bound.mostMs < LEAST_RTO_BOUND_MS;
      if (row === undefined || row.doubling < 2 || isLow) {
        const wrong = `${found}: no time-out that doubles makes these`;
        return probes ? nonStrict(wrong, events) : fails(wrong, events);
      }
      const bound = row.bound === undefined ? '' : `, and stays at ${rangeText(row.bound)}`;
      const says = `${found}: a time-out of ${rangeText(row.first)} that doubles ${plural(row.doubling - 1, 'time')}${bound}`;
      if (skipped === 0) return passes(says, events);
      if (!isSyn(name)) return passes(`${says}, behind a tail loss probe (RFC 8985)`, events);
      return nonStrict(`${says}, behind ${plural(skipped, 'more gap')} of the first's length`, events);
    },
    mutate(trace) {
      const { gaps } = shownTimer(trace, name, flow);
      const last = needed(gaps.at(-1), `${name} was not repeated`);
      // Less than half of the gap before, which no bound explains either.
      return changeEvents(trace, [last.to], (event) => shifted(event, -0.7 * last.ms));
    },
  });
}

/** RFC 6298 rule 2.5. */
export function rtoBound(name: SegmentName, { flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn(`${fileName(name)}-rto-bound`, flow),
    sentence: `The time-out of a ${nounOf(name)} may stop growing at 60 s, and no sooner.`,
    requirements: ['R6298-07'],
    judge(trace) {
      const shown = shownTimer(trace, name, flow);
      const { row, gaps } = shown;
      const [found, events] = [gapsText(name, gaps), eventsOf(shown)];
      if (row === undefined) return inconclusive(`${found}: no time-out that doubles makes these`, events);
      if (row.bound === undefined) return inconclusive(`${found}: they grew to the end`, events);
      const text = `${found}: the time-out stops growing at ${rangeText(row.bound)}`;
      return row.bound.mostMs < LEAST_RTO_BOUND_MS ? fails(text, events) : passes(text, events);
    },
    mutate(trace) {
      const shown = shownTimer(trace, name, flow);
      const boundMs = LEAST_RTO_BOUND_MS / 2;
      let savedMs = 0;
      const earlier = new Map<TcpEvent, number>();
      for (const { ms, to } of shown.gaps) {
        savedMs += Math.max(0, ms - boundMs);
        earlier.set(to, savedMs);
      }
      return changeEvents(trace, [...earlier.keys()], (event) => shifted(event, -(earlier.get(event) ?? 0)));
    },
  });
}
