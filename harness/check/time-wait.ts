/** TIME-WAIT: how long the side that closes first stays in it, and what a FIN that comes again does (RFC 9293 3.6.1, 3.10.7.4). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import type { NoteRecord, TransitionRecord } from '../observe/index.js';
import {
  connectionOf,
  msBetween,
  notesOf,
  type Stay,
  segmentsOf,
  staysOf,
  type TcpEvent,
  type Trace,
  type TraceEvent,
} from '../trace/index.js';
import { changeEvents, changeTransitions, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, informs, needed, neededSome, type Opinion, passes } from './define.js';
import { copiesOf, durationText, givenAtNs, givenTo, isReset, plural } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import {
  earliestMs,
  knownOf,
  latestMs,
  STAMP_MS,
  TIME_WAIT_MS,
  TIMER_EARLY_MS,
  toleranceOf,
} from './tolerances.js';

export interface TimeWaitOptions extends OnFlow {
  /** The side that stays in TIME-WAIT; default: the one whose FIN was first. */
  readonly side?: Side;
  /** 2 MSL of this stack; default: what is known of it by its name. */
  readonly twoMslMs?: number;
}

function closerOf(trace: Trace, { flow = 1, side }: TimeWaitOptions): Side {
  if (side !== undefined) return side;
  const [fin] = neededSome(segmentsOf(trace, { flow, role: 'active-fin' }), 'nobody closed');
  return fin.facts.from;
}

const twoMslOf = (trace: Trace, side: Side, given: number | undefined): number | undefined =>
  given ?? knownOf(TIME_WAIT_MS, trace, side);

function timeWaitOf(trace: Trace, side: Side, flow: number): Stay {
  const [stay] = neededSome(
    staysOf(trace, side, 'TIME-WAIT', { flow }),
    `the ${side} was not seen in TIME-WAIT`,
  );
  return stay;
}

/** What the stack's own timer said of its TIME-WAIT, each time that it was started. */
function timerNotes(trace: Trace, side: Side, flow: number): readonly TimerNote[] {
  const connection = connectionOf(trace, side, { flow });
  return notesOf(trace, side).flatMap((note) => {
    const { detail, local, remote } = note;
    const isOurs = local.port === connection?.local.port && remote.port === connection?.remote.port;
    const { timer, remainsMs, state } = detail;
    // Linux holds an orphan's FIN-WAIT-2 in the same kind of socket, with the same timer.
    if (!isOurs || timer !== 'time-wait' || typeof remainsMs !== 'number' || state !== 'TIME-WAIT') return [];
    return [{ note, endsNs: note.atNs + remainsMs * NANOS_PER_MS }];
  });
}

interface TimerNote {
  readonly note: NoteRecord;
  readonly endsNs: number;
}

/** When TIME-WAIT ended or, by the stack's timer, will. */
interface End {
  readonly earliestNs: number;
  readonly latestNs: number;
  readonly how: string;
  readonly event: TransitionRecord | NoteRecord;
}

function endOfTimeWait(trace: Trace, side: Side, flow: number, { left }: Stay): End | undefined {
  if (left !== undefined)
    return { earliestNs: left.notBeforeNs ?? left.atNs, latestNs: left.atNs, how: 'ended', event: left };
  const timer = timerNotes(trace, side, flow).at(-1);
  if (timer === undefined) return undefined;
  return {
    earliestNs: timer.endsNs,
    latestNs: timer.endsNs,
    how: 'will end, by its timer,',
    event: timer.note,
  };
}

export function timeWaitLasts(options: TimeWaitOptions = {}): Check {
  const { flow = 1 } = options;
  const look = (trace: Trace) => {
    const side = closerOf(trace, options);
    return { side, stay: timeWaitOf(trace, side, flow) };
  };
  return check({
    id: idOn('time-wait-lasts-2msl', flow),
    sentence: 'The side that closed first stays in TIME-WAIT for twice the maximum segment lifetime.',
    requirements: ['MUST-13', 'NOID-50', 'R1122-11'],
    judge(trace) {
      const { side, stay } = look(trace);
      const end = endOfTimeWait(trace, side, flow, stay);
      if (end === undefined) return inconclusive('the run ended in TIME-WAIT', [stay.entered]);
      const events = [stay.entered, end.event];
      const lastedMs = msBetween(stay.entered, end.latestNs);
      const found = `TIME-WAIT ${end.how} after ${durationText(lastedMs)}`;
      const reset = givenTo(trace, side, flow).find(
        (event) =>
          isReset(event) && givenAtNs(event) >= stay.entered.atNs && givenAtNs(event) <= end.latestNs,
      );
      if (reset !== undefined) return inconclusive(`${found}, when a RST had come`, [...events, reset]);
      const twoMslMs = twoMslOf(trace, side, options.twoMslMs);
      if (twoMslMs === undefined) return informs(`${found}: this stack's MSL is not known`, events);
      const msl = `its MSL is ${twoMslMs / 2000} s, the RFC's example 120 s`;
      if (lastedMs < earliestMs(twoMslMs, trace)) return fails(`${found}, though ${msl}`, events);
      return passes(`${found}: ${msl}`, events);
    },
    mutate(trace) {
      const { side, stay } = look(trace);
      const soonNs = stay.entered.atNs + NANOS_PER_MS;
      if (stay.left !== undefined)
        return changeTransitions(trace, [stay.left], ({ notBeforeNs }) => ({
          atNs: soonNs,
          ...(notBeforeNs === undefined ? {} : { notBeforeNs: soonNs }),
        }));
      return withTimers(trace, neededSome(timerNotes(trace, side, flow), 'no timer was read'), 1);
    },
  });
}

const withTimers = (trace: Trace, timers: readonly TimerNote[], remainsMs: number): Trace =>
  changeEvents(
    trace,
    timers.map(({ note }) => note),
    (note) => ({ ...note, detail: { ...note.detail, remainsMs } }),
  );

/** FINs that reached the side again while it was in TIME-WAIT. */
function finsInTimeWait(trace: Trace, side: Side, flow: number, stay: Stay): readonly TcpEvent[] {
  const [, ...repeats] = copiesOf(trace, 'passive-fin', { flow, from: otherSide(side) }).filter(
    ({ deliveries }) => deliveries.length > 0,
  );
  return repeats.filter((fin) => givenAtNs(fin) < (stay.left?.atNs ?? Number.POSITIVE_INFINITY));
}

/**
 * The stack's own timer, read behind the last FIN, tells a restart from a timer that runs on. Without it the end must tell,
 * and can only where the FIN came later than a timer may be late (an eighth of 2 MSL).
 */
export function timeWaitRestarts(options: TimeWaitOptions = {}): Check {
  const { flow = 1 } = options;
  const look = (trace: Trace) => {
    const side = closerOf(trace, options);
    const stay = timeWaitOf(trace, side, flow);
    const fins = neededSome(
      finsInTimeWait(trace, side, flow, stay),
      `no FIN reached the ${side} again in TIME-WAIT`,
    );
    const last = fins.at(-1) ?? fins[0];
    const timer = timerNotes(trace, side, flow).findLast(({ note }) => note.atNs >= givenAtNs(last));
    const end = endOfTimeWait(trace, side, flow, stay);
    return { side, stay, fins, last, timer, end };
  };
  return check({
    id: idOn('time-wait-restarts-on-fin', flow),
    sentence: 'A FIN that comes again in TIME-WAIT starts the 2 MSL anew.',
    requirements: ['NOID-31'],
    judge(trace) {
      const { side, stay, fins, last, timer, end } = look(trace);
      const twoMslMs = twoMslOf(trace, side, options.twoMslMs);
      if (twoMslMs === undefined) return inconclusive("this stack's MSL is not known");
      const offset = durationText(msBetween(stay.entered, givenAtNs(last)));
      const came = `${plural(fins.length, 'FIN')} came again, the last ${offset} after TIME-WAIT began`;
      const given = { trace, came, stay, last, timer, end, twoMslMs };
      return judgeRestart(given, [stay.entered, ...fins, timer?.note, stay.left]);
    },
    mutate(trace) {
      const { side, stay, last } = look(trace);
      const offsetMs = msBetween(stay.entered, givenAtNs(last));
      const timers = timerNotes(trace, side, flow).filter(({ note }) => note.atNs >= givenAtNs(last));
      const twoMslMs = needed(twoMslOf(trace, side, options.twoMslMs), "this stack's MSL is not known");
      const runOn = withTimers(trace, timers, twoMslMs - offsetMs - TIMER_EARLY_MS - STAMP_MS - 1);
      if (stay.left === undefined) return runOn;
      const earlyMs = msBetween(stay.left, givenAtNs(last)) + twoMslMs - 2 * TIMER_EARLY_MS;
      return changeEvents(runOn, [stay.left], (left) => shifted(left, earlyMs));
    },
  });
}

interface Restart {
  readonly trace: Trace;
  readonly came: string;
  readonly stay: Stay;
  readonly last: TcpEvent;
  readonly timer: TimerNote | undefined;
  readonly end: End | undefined;
  readonly twoMslMs: number;
}

function judgeRestart(given: Restart, events: readonly (TraceEvent | undefined)[]): Opinion {
  const { trace, came, stay, last, timer, end, twoMslMs } = given;
  const leastMs = earliestMs(twoMslMs, trace) - toleranceOf(trace).stampMs;
  const two = durationText(twoMslMs);
  const lastedMs =
    stay.left === undefined || end === undefined ? undefined : msBetween(givenAtNs(last), end.latestNs);
  const ended = lastedMs === undefined ? '' : `; it ended ${durationText(lastedMs)} after that`;
  if (lastedMs !== undefined && lastedMs < leastMs) return fails(`${came}${ended}, and not ${two}`, events);
  if (timer !== undefined) {
    const dueMs = msBetween(givenAtNs(last), timer.endsNs);
    const found = `${came}; by the stack's timer it lasts ${durationText(dueMs)} more${ended}`;
    return dueMs < leastMs ? fails(`${found}, and not ${two}`, events) : passes(found, events);
  }
  if (end === undefined || lastedMs === undefined)
    return inconclusive(`${came}; the run ended in TIME-WAIT, and no timer was read`, events);
  // Had it run on, it would have ended by then.
  const isLater = msBetween(stay.entered, end.earliestNs) > latestMs(twoMslMs, trace);
  return isLater
    ? passes(`${came}${ended}`, events)
    : inconclusive(`${came}${ended}: a late timer would look the same`, events);
}
