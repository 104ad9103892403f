/** Retransmission: what is lost comes again, later and later, and not for ever (RFC 9293 section 3.8, RFC 6298). */
import { NANOS_PER_MS } from '../clock/index.js';
import { FLAG, hasFlags, seqAdd, seqDiff } from '../segment/index.js';
import { endNs, fateOf, segmentText, type TcpEvent, type Trace } from '../trace/index.js';
import { changeEvents, changeSegments, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, nonStrict, type Opinion, passes } from './define.js';
import { closedAt, durationText, goesOnFor, isStack, leastRttMs, plural, secondsText } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { earliestMs, LEAST_RTO_BOUND_MS, latestMs, STAMP_MS } from './tolerances.js';
import {
  type Gap,
  type Growth,
  gapsOf,
  growthOf,
  isAnswered,
  neededTransmissions,
  nounOf,
  parseSegmentName,
  type SegmentName,
  type Transmissions,
  timerGaps,
} from './transmissions.js';

/** RFC 6298 rule 2.1: 1 s before any measurement; 3 s is what it was before, and after rule 5.7. */
const INITIAL_RTO_MS = 1000;
/** RFC 6298 rule 2.4. */
const LEAST_RTO_MS = 1000;
/** Longer than any stack waits for the first time: then it did not repeat at all. */
const SURELY_REPEATED_MS = 6500;

export const isOpening = (name: string): boolean =>
  parseSegmentName(name).roles.some((role) => role === 'syn' || role === 'syn-ack');

const isSyn = (name: string): boolean => parseSegmentName(name).roles.includes('syn');

export const fileName = (name: string): string => name.replace('.', '-');

/** The transmissions of a stack: a scripted peer is not judged. */
export function stackTransmissions(trace: Trace, name: string, flow: number): Transmissions {
  const found = neededTransmissions(trace, name, flow);
  if (!isStack(trace, found.from)) throw new NotShown(`${name} was sent by a scripted peer`);
  return found;
}

export const offsetsText = ({ all, first }: Transmissions): string =>
  secondsText(all.slice(1).map((event) => (event.atNs - first.atNs) / NANOS_PER_MS));

/**
 * Whether a copy carries what the first did. A FIN may be joined with data before it, and data with its neighbours: a FIN
 * stays where it is, and each octet of data what it is. A SYN is the same segment.
 */
function isSame({ first }: Transmissions, copy: TcpEvent): boolean {
  if (hasFlags(first.segment, FLAG.FIN))
    return seqAdd(copy.segment.seq, copy.facts.len) === seqAdd(first.segment.seq, first.facts.len);
  if (first.segment.payload.length === 0) return copy.segment.seq === first.segment.seq;
  const ahead = seqDiff(copy.segment.seq, first.segment.seq);
  return copy.segment.payload.every((octet, i) => (first.segment.payload[ahead + i] ?? octet) === octet);
}

export function isRepeated(name: SegmentName, { flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn(`${fileName(name)}-repeated`, flow),
    sentence: `A ${nounOf(name)} that got lost is sent again, the same at the same sequence number.`,
    requirements: isSyn(name) ? ['MUST-22', 'NOID-48'] : ['NOID-44', 'NOID-48'],
    judge(trace) {
      const series = stackTransmissions(trace, name, flow);
      const { first, all } = series;
      const other = all.find((event) => !isSame(series, event));
      if (other !== undefined)
        return fails(`first ${segmentText(first)}, then ${segmentText(other)}`, [first, other]);
      const repeats = all.slice(1);
      if (repeats.length > 0) return passes(`${name} repeated after ${offsetsText(series)}`, all);
      if (fateOf(first) !== 'dropped') return inconclusive(`${name} was not lost`, [first]);
      if (isAnswered(trace, series))
        return inconclusive(`${name} was lost but acknowledged all the same`, [first]);
      const isOver = closedAt(trace, series.from, flow) !== undefined;
      if (!isOver && !goesOnFor(trace, first, SURELY_REPEATED_MS))
        return inconclusive(
          `the run ended ${durationText((endNs(trace) - first.atNs) / NANOS_PER_MS)} after it`,
        );
      return fails(`${name} was lost and not sent again`, [first]);
    },
    mutate(trace) {
      const { all } = stackTransmissions(trace, name, flow);
      const copy = needed(all[1], `${name} was not repeated`);
      return changeSegments(trace, [copy], ({ seq, payload }) =>
        payload.length === 0
          ? { seq: seqAdd(seq, 1) }
          : { seq, payload: payload.map((octet) => octet ^ 0xff) },
      );
    },
  });
}

export interface BackoffOptions extends OnFlow {
  /** The upper bound of the RTO, where the scenario lowers it. */
  readonly boundMs?: number;
}

export function backsOff(
  name: SegmentName,
  { flow = 1, boundMs = LEAST_RTO_BOUND_MS }: BackoffOptions = {},
): Check {
  return check({
    id: idOn(`${fileName(name)}-backs-off`, flow),
    sentence: `Each time a ${nounOf(name)} is sent again the waiting time doubles.`,
    requirements: isSyn(name) ? ['R1122-01', 'R6298-15'] : ['R6298-15', 'R1122-03', 'MUST-19'],
    judge: (trace) => judgeBackoff(trace, name, flow, boundMs),
    mutate(trace) {
      const { all } = stackTransmissions(trace, name, flow);
      const gaps = timerGaps(gapsOf(trace, stackTransmissions(trace, name, flow)));
      const last = needed(gaps.at(-1), `${name} was not repeated`);
      // The last repeat, and all behind it, come so early that the gap shrinks to a quarter.
      const late = all.filter((event) => event.atNs >= last.to.atNs);
      return changeEvents(trace, late, (event) => shifted(event, -last.ms * 0.9));
    },
  });
}

/**
 * The judgement of `backsOff`, for the assertions too. The first gap of data and FIN may be that of a tail loss probe
 * (RFC 8985 section 7), which comes at any time before the RTO, and from which the RTO then runs: it may be out of the row.
 */
export function judgeBackoff(
  trace: Trace,
  name: string,
  flow: number,
  boundMs = LEAST_RTO_BOUND_MS,
): Opinion {
  const series = stackTransmissions(trace, name, flow);
  const gaps = timerGaps(gapsOf(trace, series));
  const gapsMs = gaps.map(({ ms }) => ms);
  const events = [series.first, ...gaps.map(({ to }) => to)];
  const found = `${name} repeated after gaps of ${secondsText(gapsMs)}`;
  if (gapsMs.length < 2)
    return inconclusive(
      `${name} was repeated by a timer ${plural(gapsMs.length, 'time')}: growth takes two`,
      events,
    );
  const growth = growthOf(gapsMs, boundMs);
  if (growth.kind === 'doubles' && growth.evenLead === 0) return passes(found, events);
  if (growth.kind === 'shrinks') return fails(`${found}: a gap is shorter than the one before`, events);
  if (isSyn(name)) return judgeSynBackoff(found, growth, events);
  const mayBeProbe = !isOpening(name) && gaps[0]?.from === series.first;
  if (mayBeProbe && gapsMs.length === 2)
    return inconclusive(
      `${found}: the first may be a tail loss probe, and then there is one gap only`,
      events,
    );
  const behindProbe = growthOf(gapsMs.slice(1), boundMs);
  if (mayBeProbe && behindProbe.kind === 'doubles' && behindProbe.evenLead === 0)
    return passes(`${found}: a tail loss probe (RFC 8985), then doubling`, events);
  return fails(`${found}: they do not double`, events);
}

/**
 * RFC 1122 4.2.3.1 says SHOULD of the same algorithm for a SYN, and Linux since 6.5 repeats it four times at even distance
 * before it doubles (tcp_syn_linear_timeouts).
 */
function judgeSynBackoff(found: string, { kind, evenLead }: Growth, events: readonly TcpEvent[]): Opinion {
  if (kind === 'uneven') return fails(`${found}: they do not double`, events);
  const then = kind === 'doubles' ? ', then doubling' : '';
  return nonStrict(`${found}: ${plural(evenLead + 1, 'gap')} of even length${then}`, events);
}

/** How long the stack waits before it repeats something for the first time. */
export function firstTimeout(name: SegmentName, { flow = 1 }: OnFlow = {}): Check {
  const wanted = isOpening(name)
    ? `A ${nounOf(name)} is sent again after 1 s, while nothing was measured yet.`
    : `A ${nounOf(name)} is sent again no sooner than a round trip, and should not before 1 s.`;
  return check({
    id: idOn(`${fileName(name)}-first-timeout`, flow),
    sentence: wanted,
    requirements: isOpening(name) ? ['R6298-01', 'R6298-10'] : ['R6298-06', 'R6298-10'],
    judge(trace) {
      const series = stackTransmissions(trace, name, flow);
      const gap = firstTimerGap(trace, series);
      const found = `${name} sent again after ${durationText(gap.ms)}`;
      const events = [gap.from, gap.to];
      const rttMs = leastRttMs(trace, series.from, flow);
      if (rttMs !== undefined && gap.ms < rttMs)
        return fails(`${found}, sooner than the shortest round trip of ${durationText(rttMs)}`, events);
      if (isOpening(name)) {
        const isOneSecond =
          gap.ms >= earliestMs(INITIAL_RTO_MS, trace) && gap.ms <= latestMs(INITIAL_RTO_MS, trace);
        return isOneSecond ? passes(found, events) : nonStrict(found, events);
      }
      return gap.ms >= earliestMs(LEAST_RTO_MS, trace)
        ? passes(found, events)
        : nonStrict(`${found}: RFC 6298 rule 2.4 wants 1 s at least`, events);
    },
    mutate(trace) {
      const series = stackTransmissions(trace, name, flow);
      const gap = firstTimerGap(trace, series);
      return changeEvents(trace, [gap.to], (event) => shifted(event, STAMP_MS / 1000 - gap.ms));
    },
  });
}

function firstTimerGap(trace: Trace, series: Transmissions): Gap {
  const [gap] = gapsOf(trace, series);
  const found = needed(gap, `${series.name} was not repeated`);
  if (found.isByTimer) return found;
  throw new NotShown(
    `${series.name} was repeated after its sender was given a segment, which may have been why`,
  );
}
