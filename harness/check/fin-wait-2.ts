/** FIN-WAIT-2: for as long as the program likes, and by a timer of the stack's own once the program is gone (RFC 9293 3.6). */
import { NANOS_PER_MS } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import { FLAG, hasFlags } from '../segment/index.js';
import {
  endNs,
  msBetween,
  type Stay,
  segmentsOf,
  staysOf,
  type TcpEvent,
  type Trace,
} from '../trace/index.js';
import { addEvents, changeTransitions } from './alter.js';
import type { Check } from './check.js';
import {
  check,
  fails,
  inconclusive,
  informs,
  NotShown,
  needed,
  neededSome,
  nonStrict,
  passes,
} from './define.js';
import { callsOn, durationText, givenAtNs, givenTo, isReset, isStack } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { earliestMs, FIN_WAIT_2_MS, knownOf } from './tolerances.js';

/** The stay of the side that closed first, and what it was given meanwhile. */
interface Waiting {
  readonly side: Side;
  readonly stay: Stay;
  readonly untilNs: number;
  readonly lasted: string;
  readonly lastedMs: number;
  readonly fin: TcpEvent | undefined;
  readonly reset: TcpEvent | undefined;
}

function waitingOf(trace: Trace, flow: number): Waiting {
  const [fin] = neededSome(segmentsOf(trace, { flow, role: 'active-fin' }), 'nobody closed');
  const side = fin.facts.from;
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  const [stay] = neededSome(
    staysOf(trace, side, 'FIN-WAIT-2', { flow }),
    `the ${side} was not seen in FIN-WAIT-2`,
  );
  const untilNs = stay.left?.atNs ?? endNs(trace);
  const lastedMs = msBetween(stay.entered, untilNs);
  const given = givenTo(trace, side, flow).filter((event) => givenAtNs(event) <= untilNs);
  return {
    side,
    stay,
    untilNs,
    lastedMs,
    lasted: durationText(lastedMs),
    fin: given.find(({ segment }) => hasFlags(segment, FLAG.FIN)),
    reset: given.find((event) => isReset(event)),
  };
}

const isGone = (trace: Trace, { side, untilNs }: Waiting, flow: number): boolean =>
  ['close', 'abort'].some((call) => callsOn(trace, side, flow, { call }).some(({ atNs }) => atNs < untilNs));

/** While its program holds on, nothing but the other side's FIN or RST ends FIN-WAIT-2: the other direction is still open. */
export function finWait2Kept({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const waiting = waitingOf(trace, flow);
    if (isGone(trace, waiting, flow)) throw new NotShown(`the program of the ${waiting.side} was gone`);
    return waiting;
  };
  return check({
    id: idOn('fin-wait-2-kept', flow),
    sentence: 'A side whose program still wants to receive stays in FIN-WAIT-2 until the other side closes.',
    requirements: ['NOID-28', 'NOID-34'],
    judge(trace) {
      const { side, stay, lasted, fin, reset } = look(trace);
      const events = [stay.entered, fin, reset, stay.left];
      if (stay.left === undefined)
        return passes(`still in FIN-WAIT-2 when the run ended, after ${lasted}`, events);
      if (fin !== undefined && stay.left.to === 'TIME-WAIT')
        return passes(`FIN-WAIT-2 for ${lasted}, until the FIN came`, events);
      if (reset !== undefined) return inconclusive(`a RST ended FIN-WAIT-2 after ${lasted}`, events);
      return fails(`the ${side} went from FIN-WAIT-2 to ${stay.left.to} after ${lasted}`, events);
    },
    mutate(trace) {
      const { side, stay, lastedMs } = look(trace);
      const atNs = stay.entered.atNs + (lastedMs / 2) * NANOS_PER_MS;
      const gone = { from: 'FIN-WAIT-2', to: 'CLOSED', atNs, certainty: 'exact' } as const;
      if (stay.left !== undefined) return changeTransitions(trace, [stay.left], () => gone);
      return addEvents(trace, { ...stay.entered, side, ...gone });
    },
  });
}

/** The stack's own time, unless the scenario set another. */
function knownMs({ settings, ...trace }: Trace, side: Side): number | undefined {
  const seconds = settings[`${side}.ipv4.tcp_fin_timeout`];
  return seconds === undefined ? knownOf(FIN_WAIT_2_MS, trace, side) : Number(seconds) * 1000;
}

/** RFC 9293 knows no timer for FIN-WAIT-2. Stacks have one for programs that are gone: its length is reported. */
export function finWait2TimesOut({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const waiting = waitingOf(trace, flow);
    if (!isGone(trace, waiting, flow))
      throw new NotShown(`the program of the ${waiting.side} still had the connection`);
    if (waiting.fin !== undefined) throw new NotShown('the other side closed too');
    if (waiting.reset !== undefined) throw new NotShown('a RST came');
    return { ...waiting, dueMs: knownMs(trace, waiting.side) };
  };
  return check({
    id: idOn('fin-wait-2-of-an-orphan', flow),
    sentence:
      'When the other side does not close and the program is gone, the stack may forget the connection, but not at once.',
    requirements: ['NOID-28'],
    judge(trace) {
      const { side, stay, lasted, lastedMs, dueMs } = look(trace);
      const { left } = stay;
      const events = [stay.entered, left];
      if (left === undefined)
        return informs(`still in FIN-WAIT-2 when the run ended, after ${lasted}`, events);
      if (left.to !== 'CLOSED')
        return fails(`the ${side} went from FIN-WAIT-2 to ${left.to} without a FIN`, events);
      const found = `FIN-WAIT-2 ended after ${lasted}`;
      if (dueMs !== undefined && lastedMs < earliestMs(dueMs, trace))
        return nonStrict(`${found}: this stack's time is ${durationText(dueMs)}`, events);
      return informs(`${found}: RFC 9293 leaves it free`, events);
    },
    mutate(trace) {
      const { stay, side } = look(trace);
      const left = needed(stay.left, `the ${side} was in FIN-WAIT-2 to the end`);
      return changeTransitions(trace, [left], () => ({ to: 'TIME-WAIT', certainty: 'exact' }));
    },
  });
}
