/** The end of a stack's patience with what nobody acknowledges, as a trace shows it. */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { TransitionRecord } from '../observe/index.js';
import { endNs, msBetween, type TcpEvent, type Trace, transitionsOf } from '../trace/index.js';
import { changeEvents, changeTransitions, stretchTime } from './alter.js';
import { callsOn, closedAt } from './look.js';
import { latestMs } from './tolerances.js';
import { parseSegmentName, type Transmissions } from './transmissions.js';

export interface EndOfPatience {
  readonly atNs: Nanos;
  readonly text: string;
  /** Absent where silence tells. */
  readonly event?: CallRecord | TransitionRecord;
}

/** The program's error, or the state CLOSED, whichever tells of it; behind `sinceNs`. */
export function toldOrClosed(
  trace: Trace,
  side: Side,
  flow: number,
  sinceNs: Nanos,
): EndOfPatience | undefined {
  const told = callsOn(trace, side, flow).find(
    ({ result, returnedNs }) =>
      result.kind === 'error' && result.errno === 'ETIMEDOUT' && returnedNs >= sinceNs,
  );
  if (told !== undefined)
    return { atNs: told.returnedNs, text: `${told.call} failed with ETIMEDOUT`, event: told };
  const closed = closedAt(trace, side, flow);
  if (closed === undefined || closed.atNs < sinceNs) return undefined;
  return { atNs: closed.atNs, text: `${side} CLOSED`, event: closed };
}

/** How a stack shows that it gave up: the program's error, the state CLOSED (or LISTEN), or silence where a SYN,ACK was due. */
export function endOfPatience(trace: Trace, series: Transmissions, flow: number): EndOfPatience | undefined {
  const { all, from, first, name } = series;
  const ended = toldOrClosed(trace, from, flow, first.atNs);
  if (ended !== undefined || !parseSegmentName(name).roles.includes('syn-ack')) return ended;
  const forgotten = transitionsOf(trace, from, { flow }).find(
    ({ to, atNs }) => to === 'LISTEN' && atNs >= first.atNs,
  );
  if (forgotten !== undefined)
    return { atNs: forgotten.atNs, text: `${from} back in LISTEN`, event: forgotten };
  return silenceAfter(trace, all);
}

/** A request that was given up shows by silence: for longer than the next doubling could take. */
function silenceAfter(trace: Trace, all: readonly TcpEvent[]): EndOfPatience | undefined {
  for (const [i, copy] of all.entries()) {
    const before = all[i - 1];
    if (before === undefined) continue;
    const dueMs = latestMs(2 * msBetween(before, copy), trace);
    const silentMs = msBetween(copy, all[i + 1] ?? endNs(trace));
    if (silentMs > dueMs) return { atNs: copy.atNs + dueMs * NANOS_PER_MS, text: 'silence' };
  }
  return undefined;
}

/** The trace altered so that patience ended at `atNs`; where silence tells, all since `sinceNs` runs so much faster. */
export function endedAt(trace: Trace, end: EndOfPatience, atNs: Nanos, sinceNs: Nanos): Trace {
  const { event } = end;
  if (event === undefined) return stretchTime(trace, sinceNs, (atNs - sinceNs) / (end.atNs - sinceNs));
  if (event.kind === 'call') return changeEvents(trace, [event], (call) => ({ ...call, returnedNs: atNs }));
  return changeTransitions(trace, [event], ({ notBeforeNs }) => ({
    atNs,
    ...(notBeforeNs === undefined ? {} : { notBeforeNs: atNs }),
  }));
}
