/** TIME-WAIT and LAST-ACK: the two ends of a close, and what a lost final ACK makes of them (RFC 9293 section 3.6.1). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import type { NoteRecord, TransitionRecord } from '../observe/index.js';
import {
  connectionOf,
  endNs,
  msBetween,
  notesOf,
  type Stay,
  segmentsOf,
  staysOf,
  type TcpEvent,
  type Trace,
  type TraceEvent,
} from '../trace/index.js';
import { addEvents, changeEvents, changeTransitions, shifted } from './alter.js';
import type { Check } from './check.js';
import {
  check,
  fails,
  inconclusive,
  informs,
  NotShown,
  needed,
  neededSome,
  type Opinion,
  passes,
} from './define.js';
import {
  closedAt,
  copiesOf,
  durationText,
  endOf,
  givenAtNs,
  givenTo,
  isReset,
  isStack,
  plural,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { earliestMs, latestMs, REACTION_MS, STAMP_MS, TIME_WAIT_MS, TIMER_EARLY_MS } from './tolerances.js';

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

function twoMslOf(trace: Trace, side: Side, given: number | undefined): number | undefined {
  const stack = trace.endpoints.find((endpoint) => endpoint.side === side)?.stack ?? '';
  return given ?? TIME_WAIT_MS[stack.split('@')[0] ?? ''];
}

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
      if (lastedMs < earliestMs(twoMslMs)) return fails(`${found}, though ${msl}`, events);
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
      const given = { came, stay, last, timer, end, twoMslMs };
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
  readonly came: string;
  readonly stay: Stay;
  readonly last: TcpEvent;
  readonly timer: TimerNote | undefined;
  readonly end: End | undefined;
  readonly twoMslMs: number;
}

function judgeRestart(given: Restart, events: readonly (TraceEvent | undefined)[]): Opinion {
  const { came, stay, last, timer, end, twoMslMs } = given;
  const leastMs = twoMslMs - TIMER_EARLY_MS - STAMP_MS;
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
  const isLater = msBetween(stay.entered, end.earliestNs) > latestMs(twoMslMs);
  return isLater
    ? passes(`${came}${ended}`, events)
    : inconclusive(`${came}${ended}: a late timer would look the same`, events);
}

/** The passive closer's stay in LAST-ACK, its FIN's copies, and the first ACK of it that came. */
function lastAckOf(trace: Trace, flow: number) {
  const fins = neededSome(copiesOf(trace, 'passive-fin', { flow }), 'there was no second FIN');
  const side = fins[0].facts.from;
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  const [stay] = neededSome(
    staysOf(trace, side, 'LAST-ACK', { flow }),
    `the ${side} was not seen in LAST-ACK`,
  );
  const ack = givenTo(trace, side, flow).find(
    (event) =>
      !isReset(event) && (event.facts.relAck ?? 0) >= endOf(fins[0]) && givenAtNs(event) > fins[0].atNs,
  );
  const reset = givenTo(trace, side, flow).find((event) => isReset(event) && givenAtNs(event) > fins[0].atNs);
  return { fins, side, stay, ack, reset };
}

/** Until its FIN is acknowledged the passive closer stays in LAST-ACK and repeats the FIN. */
export function staysInLastAck({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('stays-in-last-ack', flow),
    sentence:
      'While its FIN is not acknowledged, the side that closed last stays in LAST-ACK and repeats the FIN.',
    requirements: ['NOID-30', 'NOID-44'],
    judge(trace) {
      const { fins, side, stay, ack, reset } = lastAckOf(trace, flow);
      const events = [stay.entered, ...fins, stay.left];
      if (fins.length < 2 && ack !== undefined)
        return inconclusive('the FIN was acknowledged before it could be repeated', events);
      const { left } = stay;
      const repeated = `FIN repeated ${plural(fins.length - 1, 'time')}`;
      if (left === undefined) {
        const stayed = durationText((endNs(trace) - stay.entered.atNs) / NANOS_PER_MS);
        return fins.length > 1
          ? passes(`${repeated}; still in LAST-ACK when the run ended, after ${stayed}`, events)
          : inconclusive(`the run ended after ${stayed} in LAST-ACK, before a FIN was due again`, events);
      }
      const lasted = durationText(msBetween(stay.entered, left));
      const endsNs = Math.min(
        ack === undefined ? Infinity : givenAtNs(ack),
        reset === undefined ? Infinity : givenAtNs(reset),
      );
      const isEarly = left.atNs < endsNs - STAMP_MS * NANOS_PER_MS;
      if (left.to !== 'CLOSED') return fails(`the ${side} went from LAST-ACK to ${left.to}`, events);
      if (isEarly && fins.length < 2)
        return fails(`the ${side} left LAST-ACK after ${lasted} without an ACK`, events);
      if (isEarly) return passes(`${repeated}, then given up: ${lasted} in LAST-ACK`, events);
      return passes(`${repeated}; ${lasted} in LAST-ACK, until the ACK came`, [...events, ack ?? reset]);
    },
    mutate(trace) {
      const { fins, stay, side } = lastAckOf(trace, flow);
      const repeats = new Set<unknown>(fins.slice(1));
      const firstRepeatNs = fins[1]?.atNs ?? endNs(trace);
      const early = Math.max(stay.entered.atNs, Math.min(firstRepeatNs, endNs(trace)) - NANOS_PER_MS);
      const left = stay.left ?? { ...stay.entered, from: 'LAST-ACK' as const, to: 'CLOSED' as const, side };
      // Gone at once, before any ACK came and without a second FIN.
      const kept = trace.events.filter((event) => event !== stay.left && !repeats.has(event));
      const late = kept.filter((event) => event.kind !== 'segment' || event.atNs < early);
      const { notBeforeNs: _, ...rest } = left;
      return addEvents({ ...trace, events: late }, { ...rest, atNs: early, certainty: 'exact' });
    },
  });
}

/** LAST-ACK ends with the ACK of the FIN. */
export function lastAckEnds({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const found = lastAckOf(trace, flow);
    return { ...found, ack: needed(found.ack, `no ACK of its FIN reached the ${found.side}`) };
  };
  return check({
    id: idOn('last-ack-ends-with-its-ack', flow),
    sentence: 'The ACK of its FIN takes the side that closed last from LAST-ACK to CLOSED.',
    requirements: ['NOID-30'],
    judge(trace) {
      const { side, stay, ack } = look(trace);
      const { left } = stay;
      if (left === undefined)
        return msBetween(givenAtNs(ack), endNs(trace)) > REACTION_MS
          ? fails(`the ${side} was given the ACK of its FIN and stayed in LAST-ACK`, [stay.entered, ack])
          : inconclusive('the run ended with the ACK', [stay.entered, ack]);
      const events = [stay.entered, ack, left];
      if (left.to !== 'CLOSED') return fails(`the ${side} went from LAST-ACK to ${left.to}`, events);
      const afterMs = msBetween(givenAtNs(ack), left);
      if (afterMs < -STAMP_MS)
        return inconclusive(`CLOSED ${durationText(-afterMs)} before the ACK came`, events);
      const earliest = msBetween(givenAtNs(ack), left.notBeforeNs ?? left.atNs);
      return earliest > REACTION_MS
        ? fails(`CLOSED only ${durationText(afterMs)} after the ACK came`, events)
        : passes(`CLOSED ${durationText(Math.max(0, afterMs))} after the ACK came`, events);
    },
    mutate(trace) {
      const { stay } = look(trace);
      const left = needed(stay.left, 'LAST-ACK did not end');
      return changeTransitions(trace, [left], () => ({ to: 'TIME-WAIT', certainty: 'exact' }));
    },
  });
}

/** At the end of the run nothing is left of a connection (NOID-50, and RFC 9293 section 3.3.1 on the TCB). */
export function controlBlockFreed({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const sides = (['client', 'server'] as const).filter((side) => isStack(trace, side));
    const lives = sides.flatMap((side) => {
      const connection = connectionOf(trace, side, { flow });
      return connection === undefined ? [] : [connection];
    });
    return neededSome(lives, 'nobody watched the states');
  };
  return check({
    id: idOn('control-block-freed', flow),
    sentence:
      'The control block exists from open to the end of the close, through TIME-WAIT, and is freed then.',
    requirements: ['NOID-50', 'NOID-30'],
    judge(trace) {
      const lives = look(trace);
      for (const { side, transitions } of lives) {
        const last = transitions.at(-1);
        const closed = closedAt(trace, side, flow);
        if (closed === undefined)
          return inconclusive(`the ${side} was in ${last?.to} when the run ended`, [last]);
        const finished = transitions.find(({ to }) => to === 'TIME-WAIT');
        const sentLate = segmentsOf(trace, { flow, from: side, lacks: 'RST', after: closed }).find(
          (event) => event.atNs > closed.atNs + STAMP_MS * NANOS_PER_MS && event.origin === 'endpoint',
        );
        if (sentLate !== undefined)
          return fails(`the ${side} was CLOSED and sent a segment of the connection after that`, [
            finished,
            closed,
            sentLate,
          ]);
      }
      return passes(
        lives
          .map(
            ({ side, transitions }) =>
              `${side} freed ${durationText(msBetween(0, transitions.at(-1) ?? 0))} into the run`,
          )
          .join(', '),
        lives.flatMap(({ transitions }) => transitions.slice(-1)),
      );
    },
    mutate(trace) {
      const [{ side }] = look(trace);
      const closed = needed(closedAt(trace, side, flow), `the ${side} was not seen to be CLOSED`);
      const [first] = neededSome(
        segmentsOf(trace, { flow, from: side, lacks: 'RST', origin: 'endpoint' }),
        `the ${side} sent nothing`,
      );
      return addEvents(trace, shifted(first, msBetween(first, closed) + 1000));
    },
  });
}
