/** What several checks want to know of a trace: openings, who sent what up to when, what a side was given, its calls. */
import { NANOS_PER_MS, NANOS_PER_SECOND } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import { otherSide, type Role, type Side } from '../fault/index.js';

import { decode, FLAG, hasFlags, type Segment } from '../segment/index.js';
import {
  type CallQuery,
  callsOf,
  connectionOf,
  deliveredAtNs,
  endNs,
  firstSegment,
  type Instant,
  nanosOf,
  segmentsOf,
  type TcpEvent,
  type Trace,
} from '../trace/index.js';
import { NotShown } from './define.js';

export { SIDES } from '../fault/index.js';

/** `204 ms`, `1.024 s`. */
export function durationText(ms: number): string {
  if (Math.abs(ms) < 10) return `${ms.toFixed(2)} ms`;
  return Math.abs(ms) < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(3)} s`;
}

/** `at 1.024 s`. */
export const timeText = (at: Instant): string => `at ${(nanosOf(at) / NANOS_PER_SECOND).toFixed(3)} s`;

/** `0.204, 0.416 and 0.832 s`. */
export function secondsText(listMs: readonly number[]): string {
  const texts = listMs.map((ms) => (ms / 1000).toFixed(3));
  const last = texts.pop();
  return texts.length === 0 ? `${last} s` : `${texts.join(', ')} and ${last} s`;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** The segment as the other side was first given it: a fault may have rewritten it. Undefined if it never was. */
export function asDelivered(event: TcpEvent): Segment | undefined {
  const [first] = event.deliveries;
  if (first === undefined) return undefined;
  if (first.packet === undefined) return event.segment;
  const decoded = decode(first.packet);
  return decoded.kind === 'segment' ? decoded.segment : undefined;
}

/** The flows of a trace, in order. */
export const flowsOf = (trace: Trace): readonly number[] => [
  ...new Set(segmentsOf(trace).map((event) => event.facts.flow)),
];

/** Whether this side is a stack under test, and no scripted peer. */
export const isStack = ({ endpoints }: Trace, side: Side): boolean =>
  endpoints.some((endpoint) => endpoint.side === side && endpoint.stack !== 'peer');

/** Segments that the stack of a side sent on a flow. */
export const sentBy = (trace: Trace, side: Side, flow: number): readonly TcpEvent[] =>
  segmentsOf(trace, { from: side, flow, origin: 'endpoint' });

/** Segments of a flow that were given to a side, in the order of their first delivery. */
export function givenTo(trace: Trace, side: Side, flow: number): readonly TcpEvent[] {
  return segmentsOf(trace, { from: otherSide(side), flow, fate: 'delivered' }).toSorted(
    (a, b) => (deliveredAtNs(a) ?? 0) - (deliveredAtNs(b) ?? 0),
  );
}

/** When a side was first given a segment; the end of time if it never was. */
export const givenAtNs = (event: TcpEvent): number => deliveredAtNs(event) ?? Number.POSITIVE_INFINITY;

/** Whether a segment came onto the wire behind another. Where computing takes no time, both may bear one stamp. */
export const isBehind = (event: TcpEvent, other: TcpEvent): boolean =>
  event.atNs > other.atNs || (event.atNs === other.atNs && event.id > other.id);

/** The relative number after the last that a segment occupies. */
export const endOf = ({ facts }: TcpEvent): number => (facts.relSeq ?? 0) + facts.len;

/** Keep-alives and window probes repeat an old number on purpose. */
export const isProbe = ({ facts }: TcpEvent): boolean =>
  facts.roles.includes('keep-alive') || facts.roles.includes('window-probe');

export const isReset = ({ segment }: TcpEvent): boolean => hasFlags(segment, FLAG.RST);

/** SND.NXT of a side, relative to its ISS, as its segments up to an instant show it. */
export function sndNxt(trace: Trace, side: Side, flow: number, before: Instant): number {
  const sent = segmentsOf(trace, { from: side, flow, before }).filter(
    (event) => !isReset(event) && !isProbe(event) && (event.origin === 'endpoint' || event.origin === 'peer'),
  );
  return sent.reduce((next, event) => Math.max(next, endOf(event)), 0);
}

/** RCV.NXT of a side, relative to the other's ISS: all that it was given in one piece before an instant. */
export function rcvNxt(trace: Trace, side: Side, flow: number, before: Instant): number {
  const pieces = givenTo(trace, side, flow)
    .filter((event) => givenAtNs(event) < nanosOf(before) && !isReset(event) && event.facts.len > 0)
    .toSorted((a, b) => (a.facts.relSeq ?? 0) - (b.facts.relSeq ?? 0));
  return pieces.reduce(
    (next, event) => ((event.facts.relSeq ?? 0) <= next ? Math.max(next, endOf(event)) : next),
    0,
  );
}

/** The first and all copies of what a role names, of one sender. */
export function copiesOf(
  trace: Trace,
  role: Role,
  query: { flow: number; from?: Side },
): readonly TcpEvent[] {
  const [first, ...rest] = segmentsOf(trace, { role, ...query });
  return first === undefined ? [] : [first, ...rest.filter((event) => event.facts.from === first.facts.from)];
}

/** The first segment of a side, sent after an instant, that acknowledges up to `relAck` or more. */
export function acknowledgment(
  trace: Trace,
  ack: { from: Side; flow: number; relAck: number; after: Instant; within?: number },
): TcpEvent | undefined {
  const { from, flow, relAck, within } = ack;
  // An answer may bear an earlier stamp than the delivery that it answers, by as much as the stamps disagree.
  const after = nanosOf(ack.after) - trace.alignment.segmentsErrorNs;
  const limit = within === undefined ? {} : { before: after + within * NANOS_PER_MS };
  return segmentsOf(trace, { from, flow, has: 'ACK', lacks: 'RST', after, ...limit }).find(
    (event) => (event.facts.relAck ?? 0) >= relAck,
  );
}

/** Whether the trace goes on for `ms` after an instant: only then does silence say something. */
export const goesOnFor = (trace: Trace, after: Instant, ms: number): boolean =>
  endNs(trace) >= nanosOf(after) + ms * NANOS_PER_MS;

/**
 * The socket of a side that a flow belongs to: the one whose `accept` gave the other side's port, or whose `connect` came
 * last before the flow's first SYN. Undefined where nothing tells.
 */
export function socketOf(trace: Trace, side: Side, flow: number): number | undefined {
  const first = firstSegment(trace, { flow });
  if (first === undefined) return undefined;
  const { facts, segment } = first;
  const otherPort = facts.from === side ? segment.dstPort : segment.srcPort;
  for (const { result } of callsOf(trace, side, { call: 'accept', result: 'ok' })) {
    const accepted =
      result.kind === 'ok' ? /^socket (\d+) from .* port (\d+)$/.exec(String(result.value)) : null;
    if (accepted !== null && Number(accepted[2]) === otherPort) return Number(accepted[1]);
  }
  const syn = firstSegment(trace, { flow, from: side, role: 'syn' });
  if (syn === undefined) return undefined;
  return callsOf(trace, side, { call: 'connect' }).findLast(({ atNs }) => atNs <= syn.atNs)?.socket;
}

/**
 * The calls on the socket of a flow; all calls of the side where the trace has one flow and does not say. Of a program that nobody drives
 * none is known, and what follows from calls cannot be judged.
 */
export function callsOn(
  trace: Trace,
  side: Side,
  flow: number,
  query: CallQuery = {},
): readonly CallRecord[] {
  const application = trace.endpoints.find((endpoint) => endpoint.side === side)?.application;
  if (application !== undefined)
    throw new NotShown(`the ${side} is ${application}, and what its program calls and is told nobody saw`);
  const socket = socketOf(trace, side, flow);
  if (socket !== undefined) return callsOf(trace, side, { ...query, socket });
  return flowsOf(trace).length === 1
    ? callsOf(trace, side, query)
    : callsOf(trace, side, { ...query, socket: flow });
}

/** The value that the program gave an option last; undefined when it left it alone. */
export function optionSet(trace: Trace, side: Side, flow: number, name: string): number | undefined {
  const call = callsOn(trace, side, flow, { call: 'setOption' }).findLast(
    ({ args, result }) => args.name === name && result.kind === 'ok',
  );
  return typeof call?.args.value === 'number' ? call.args.value : undefined;
}

/** When a connection of a side was seen to be CLOSED, at the earliest it can have been. */
export const closedAt = (trace: Trace, side: Side, flow: number) =>
  connectionOf(trace, side, { flow })?.transitions.find(({ to }) => to === 'CLOSED');

/**
 * The smallest time in which something that a side sent on a flow was acknowledged to it, in milliseconds. As RFC 6298
 * rule 3 has it (Karn), what was sent more than once is no sample.
 */
export function leastRttMs(trace: Trace, side: Side, flow: number): number | undefined {
  const sent = segmentsOf(trace, { from: side, flow }).filter(
    (event) => event.facts.len > 0 && !isProbe(event) && !isReset(event),
  );
  const repeated = new Set(sent.filter(({ facts }) => facts.copy > 1).map(({ facts }) => facts.original));
  const answers = givenTo(trace, side, flow);
  const samples = sent.flatMap((event) => {
    if (event.deliveries.length === 0 || repeated.has(event.facts.original)) return [];
    const answer = answers.find((each) => each.atNs > event.atNs && (each.facts.relAck ?? 0) >= endOf(event));
    return answer === undefined ? [] : [(givenAtNs(answer) - event.atNs) / NANOS_PER_MS];
  });
  return samples.length === 0 ? undefined : Math.min(...samples);
}
