/** A window that is shut: probed by the sender, later and later, for as long as it is answered (RFC 9293 section 3.8.6.1). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { FLAG } from '../segment/index.js';
import {
  endNs,
  fateOf,
  fits,
  gaps,
  msBetween,
  segmentsOf,
  type TcpEvent,
  type Trace,
} from '../trace/index.js';
import { addEvents, changeEvents, removeEvents, shifted, stretchTime } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, neededSome, nonStrict, passes } from './define.js';
import {
  acknowledgment,
  closedAt,
  durationText,
  endOf,
  givenAtNs,
  givenTo,
  goesOnFor,
  isReset,
  isStack,
  plural,
  secondsText,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ANSWERED_WITHIN_MS, THROTTLE_MS } from './tolerances.js';
import { growthOf } from './transmissions.js';

/** Longer than any first RTO, doubled twice: a sender that has not probed by then does not. */
const SURELY_PROBED_MS = 6500;

export interface ZeroWindowOptions extends OnFlow {
  /** The side that has data to send. */
  readonly side?: Side;
}

/** The time for which the sender knew the window to be shut while it had data to send. */
interface Shut {
  readonly since: TcpEvent;
  readonly sinceNs: number;
  /** The segment that opened it again. */
  readonly opened: TcpEvent | undefined;
  readonly untilNs: number;
  readonly probes: readonly TcpEvent[];
}

/** RFC 9293 section 3.8.6.1: new data, or a repeat of what a window that was taken back leaves unacknowledged. */
const isProbe = (event: TcpEvent): boolean =>
  fits(event, { role: 'window-probe' }) || fits(event, { role: 'data', copy: 'repeats' });

export function shutWindow(trace: Trace, side: Side, flow: number): Shut {
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  const given = givenTo(trace, side, flow).filter(
    (event) => !isReset(event) && event.facts.relAck !== undefined,
  );
  const sent = segmentsOf(trace, { from: side, flow });
  const shuts = given.flatMap((since, i) => {
    if (since.facts.windowOctets !== 0 || given[i - 1]?.facts.windowOctets === 0) return [];
    const opened = given.slice(i + 1).find((event) => event.facts.windowOctets > 0);
    const untilNs = opened === undefined ? endNs(trace) : givenAtNs(opened);
    const sinceNs = givenAtNs(since);
    const within = sent.filter((event) => isProbe(event) && event.atNs > sinceNs && event.atNs < untilNs);
    return [{ since, sinceNs, opened, untilNs, probes: within }];
  });
  const longest = shuts.toSorted(
    (a, b) => b.probes.length - a.probes.length || b.untilNs - b.sinceNs - (a.untilNs - a.sinceNs),
  );
  return needed(longest[0], `the ${side} was never told of a window of 0`);
}

/** Data that was still to be sent when the window was shut. */
const hadMore = (trace: Trace, side: Side, flow: number, { since, untilNs }: Shut): boolean =>
  segmentsOf(trace, { role: 'data', from: side, flow, after: untilNs }).some(
    (event) => endOf(event) > (since.facts.relAck ?? 0),
  );

export function zeroWindowProbed({ side = 'client', flow = 1 }: ZeroWindowOptions = {}): Check {
  return check({
    id: idOn('zero-window-probed', flow),
    sentence: 'A sender with data probes a window of 0.',
    requirements: ['MUST-36', 'MUST-35', 'SHLD-29'],
    judge(trace) {
      const shut = shutWindow(trace, side, flow);
      const lastedMs = (shut.untilNs - shut.sinceNs) / NANOS_PER_MS;
      const [first] = shut.probes;
      if (first !== undefined) {
        const afterMs = (first.atNs - shut.sinceNs) / NANOS_PER_MS;
        return passes(
          `window 0 for ${durationText(lastedMs)}: ${plural(shut.probes.length, 'probe')}, the first after ${durationText(afterMs)}`,
          [shut.since, ...shut.probes, shut.opened],
        );
      }
      if (lastedMs < SURELY_PROBED_MS)
        return inconclusive(`the window was 0 for ${durationText(lastedMs)} only`, [shut.since]);
      if (!hadMore(trace, side, flow, shut))
        return inconclusive('the sender may have had nothing to send', [shut.since]);
      return fails(`window 0 for ${durationText(lastedMs)} without a probe`, [shut.since, shut.opened]);
    },
    mutate(trace) {
      const shut = shutWindow(trace, side, flow);
      const opened = needed(shut.opened, 'the window did not open again');
      const silent = removeEvents(trace, shut.probes);
      const factor = (2 * SURELY_PROBED_MS * NANOS_PER_MS) / (givenAtNs(opened) - shut.sinceNs);
      return stretchTime(silent, shut.sinceNs, Math.max(1, factor));
    },
  });
}

export function zeroWindowProbesBackOff({ side = 'client', flow = 1 }: ZeroWindowOptions = {}): Check {
  const look = (trace: Trace) =>
    neededSome(shutWindow(trace, side, flow).probes, 'the window of 0 was not probed');
  return check({
    id: idOn('zero-window-probes-back-off', flow),
    sentence: 'The time between probes of a shut window doubles.',
    requirements: ['SHLD-30'],
    judge(trace) {
      const probes = look(trace);
      const gapsMs = gaps(probes);
      if (gapsMs.length < 2)
        return inconclusive(`${plural(probes.length, 'probe')}: growth takes three`, probes);
      const { kind, evenLead } = growthOf(gapsMs);
      const found = `probes ${secondsText(gapsMs)} apart`;
      return kind === 'doubles' && evenLead === 0
        ? passes(found, probes)
        : nonStrict(`${found}: they do not double`, probes);
    },
    mutate(trace) {
      const probes = look(trace);
      const [first] = gaps(probes);
      const evenMs = needed(first, 'one probe only');
      return changeEvents(trace, probes, (probe) => {
        const dueMs = evenMs * probes.indexOf(probe);
        return shifted(probe, dueMs - msBetween(probes[0], probe));
      });
    },
  });
}

export function staysOpenWhileProbed({ side = 'client', flow = 1 }: ZeroWindowOptions = {}): Check {
  return check({
    id: idOn('stays-open-while-window-shut', flow),
    sentence:
      'While its probes are answered, the sender keeps the connection open, and sends on when the window opens.',
    requirements: ['MUST-37', 'R1122-04'],
    judge(trace) {
      const shut = shutWindow(trace, side, flow);
      const probes = neededSome(shut.probes, 'the window of 0 was not probed');
      const rst = segmentsOf(trace, {
        from: side,
        flow,
        role: 'rst',
        after: shut.sinceNs,
        before: shut.untilNs,
      })[0];
      const closed = closedAt(trace, side, flow);
      const isClosed = closed !== undefined && closed.atNs > shut.sinceNs && closed.atNs < shut.untilNs;
      const lasted = durationText((shut.untilNs - shut.sinceNs) / NANOS_PER_MS);
      if (rst !== undefined || isClosed)
        return fails('the sender ended the connection', [...probes, rst, closed]);
      const data = segmentsOf(trace, { role: 'data', from: side, flow, after: shut.untilNs })[0];
      if (shut.opened === undefined)
        return passes(`open after ${lasted} of window 0 and ${plural(probes.length, 'probe')}`, probes);
      if (data === undefined)
        return inconclusive('the window opened, and nothing more was sent', [shut.opened]);
      const afterMs = msBetween(shut.untilNs, data);
      return passes(`window 0 for ${lasted}; data ${durationText(afterMs)} after it opened`, [
        ...probes,
        shut.opened,
        data,
      ]);
    },
    mutate(trace) {
      const shut = shutWindow(trace, side, flow);
      const last = needed(shut.probes.at(-1), 'the window of 0 was not probed');
      const halfwayMs = (shut.untilNs - last.atNs) / NANOS_PER_MS / 2;
      const event = shifted(last, halfwayMs);
      if (event.kind !== 'segment') return trace;
      const facts = { ...last.facts, roles: ['rst' as const] };
      return addEvents(trace, { ...event, facts, segment: { ...last.segment, flags: FLAG.RST } });
    },
  });
}

/** Throttling (RFC 5961 section 7) may leave out the answer to a probe that follows another too soon. */
export function zeroWindowProbesAnswered({ side = 'client', flow = 1 }: ZeroWindowOptions = {}): Check {
  const answers = (trace: Trace) => {
    const answering = otherSide(side);
    if (!isStack(trace, answering)) throw new NotShown(`the ${answering} is a scripted peer`);
    const { since, probes } = shutWindow(trace, side, flow);
    const got = probes.filter((probe) => fateOf(probe) === 'delivered');
    return neededSome(got, `no probe reached the ${answering}`).map((probe) => ({
      probe,
      ack: acknowledgment(trace, {
        from: answering,
        flow,
        // What it was given and had no room for it does not acknowledge.
        relAck: since.facts.relAck ?? 0,
        after: givenAtNs(probe),
        within: ANSWERED_WITHIN_MS,
      }),
    }));
  };
  return check({
    id: idOn('zero-window-probes-answered', flow),
    sentence: 'A probe of a shut window is answered with an ACK that tells the window.',
    requirements: ['NOID-51', 'NOID-13', 'R5961-06'],
    judge(trace) {
      const all = answers(trace);
      let answeredNs = Number.NEGATIVE_INFINITY;
      for (const { probe, ack } of all) {
        const isThrottled = givenAtNs(probe) - answeredNs < THROTTLE_MS * NANOS_PER_MS;
        if (ack === undefined && !isThrottled && goesOnFor(trace, givenAtNs(probe), ANSWERED_WITHIN_MS))
          return fails('a probe was not answered', [probe]);
        if (ack !== undefined) answeredNs = ack.atNs;
      }
      const answered = all.filter(({ ack }) => ack !== undefined);
      if (answered.length === 0) return inconclusive('the run ended before an answer was due');
      const skipped = all.length - answered.length;
      const throttled =
        skipped === 0 ? '' : ', the others within the time that RFC 5961 lets a stack throttle';
      return passes(
        `${answered.length} of ${plural(all.length, 'probe')} answered${throttled}`,
        answered.flatMap(({ probe, ack }) => [probe, ack]),
      );
    },
    mutate(trace) {
      const acks = answers(trace).flatMap(({ ack }) => (ack === undefined ? [] : [ack]));
      const wanted = neededSome(acks, 'no probe was answered');
      const silent = removeEvents(trace, wanted);
      const last = needed(silent.events.at(-1), 'nothing else happened');
      // The run goes on for long enough that an answer would have come.
      const later = { kind: 'mark', atNs: Math.max(last.atNs, endNs(trace)) + 2e9, text: 'silence' } as const;
      return addEvents(silent, later);
    },
  });
}
