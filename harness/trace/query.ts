/**
 * Questions to a trace, for checks and for people: pure helpers that pick segments, calls and marks, and measure times.
 * Times that go in are `atNs` of the trace; times that come out are milliseconds (`…Ms`) or nanoseconds (`…Ns`).
 */
import type { Nanos } from '../clock/index.js';
import { NANOS_PER_MS } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { FlowFacts, Role, Side } from '../fault/index.js';
import type { NoteRecord } from '../observe/index.js';
import { type FlagName, type Flags, hasFlags, parseFlags, type Segment } from '../segment/index.js';
import type { SegmentRecord } from '../wire/index.js';
import { groupedBy } from './grouped.js';
import { oncePerTrace } from './once.js';
import type { MarkEvent, SegmentEvent, Trace, TraceEvent } from './trace.js';

/** A segment of the trace that is TCP and was followed by the flow tracker: both are there. */
export interface TcpEvent extends SegmentEvent {
  readonly segment: Segment;
  readonly facts: FlowFacts;
}

/**
 * - `delivered`: the other side was given it at least once; `dropped`: never, and nothing holds it;
 * - `held`: a fault held it until the end of the run.
 */
export type Fate = 'delivered' | 'dropped' | 'held';

/** An instant: a time of the trace, or that of an event. */
export type Instant = Nanos | { readonly atNs: Nanos };

/** Flags as in `'FIN,ACK'`, or as a list of names. */
export type FlagsText = string | readonly FlagName[];

/** What a segment must be; what is absent does not matter. */
export interface SegmentQuery {
  readonly from?: Side;
  /** Has this role, or one of these. */
  readonly role?: Role | readonly Role[];
  /** Which transmission (of the role, when one is asked for): 1 is the original; `'repeats'` are all but that. */
  readonly copy?: number | 'repeats';
  readonly flow?: number;
  /** Exactly these control bits. */
  readonly flags?: FlagsText;
  /** At least these control bits. */
  readonly has?: FlagsText;
  /** None of these control bits. */
  readonly lacks?: FlagsText;
  /** With data, or without. */
  readonly data?: boolean;
  readonly relSeq?: number;
  readonly relAck?: number;
  readonly fate?: Fate;
  /** Touched by this fault (its id), or by any (`true`) or none (`false`). */
  readonly fault?: string | boolean;
  readonly origin?: SegmentRecord['origin'];
  /** Came onto the wire at this instant or later; the given event itself is excluded. */
  readonly after?: Instant;
  /** Came onto the wire before this instant. */
  readonly before?: Instant;
}

/** The TCP segments that fit, in the order they came onto the wire. */
export function segmentsOf(trace: Trace, query: SegmentQuery = {}): readonly TcpEvent[] {
  return candidates(trace, query).filter((event) => fits(event, query));
}

/** The first TCP segment that fits. */
export function firstSegment(trace: Trace, query: SegmentQuery = {}): TcpEvent | undefined {
  return candidates(trace, query).find((event) => fits(event, query));
}

/** The last TCP segment that fits. */
export function lastSegment(trace: Trace, query: SegmentQuery = {}): TcpEvent | undefined {
  return segmentsOf(trace, query).at(-1);
}

const candidates = (trace: Trace, { flow }: SegmentQuery): readonly TcpEvent[] =>
  flow === undefined ? tcpEvents(trace) : (byFlow(trace).get(flow) ?? []);

const tcpEvents = oncePerTrace(({ events }) => events.filter(isTcp));

const byFlow = oncePerTrace((trace) => groupedBy(tcpEvents(trace), ({ facts }) => facts.flow));

export function isTcp(event: TraceEvent): event is TcpEvent {
  return event.kind === 'segment' && event.segment !== undefined && event.facts !== undefined;
}

/** Whether a segment is what the query asks for. */
export function fits(event: TcpEvent, query: SegmentQuery): boolean {
  return fitsFacts(event.facts, query) && fitsBits(event.segment, query) && fitsRecord(event, query);
}

function fitsFacts(facts: FlowFacts, query: SegmentQuery): boolean {
  const { from, flow, relSeq, relAck } = query;
  return (
    (from === undefined || facts.from === from) &&
    fitsRole(facts, query) &&
    (flow === undefined || facts.flow === flow) &&
    (relSeq === undefined || facts.relSeq === relSeq) &&
    (relAck === undefined || facts.relAck === relAck)
  );
}

function fitsRole(facts: FlowFacts, { role, copy }: SegmentQuery): boolean {
  const fitsCopy = (count: number) => copy === undefined || (copy === 'repeats' ? count > 1 : count === copy);
  if (role === undefined) return fitsCopy(facts.copy);
  const wanted = typeof role === 'string' ? [role] : role;
  return wanted.some((each) => facts.roles.includes(each) && fitsCopy(copyOf(facts, each)));
}

/** Which transmission of a role a segment is: old data that rides on a new FIN is counted apart from the FIN. */
export function copyOf(facts: FlowFacts, role: Role): number {
  return facts.parts?.find((part) => part.role === role)?.copy ?? facts.copy;
}

function fitsBits(segment: Segment, query: SegmentQuery): boolean {
  const { flags, has, lacks, data } = query;
  return (
    (flags === undefined || segment.flags === bits(flags)) &&
    (has === undefined || hasFlags(segment, bits(has))) &&
    (lacks === undefined || (segment.flags & bits(lacks)) === 0) &&
    (data === undefined || segment.payload.length > 0 === data)
  );
}

function fitsRecord(event: SegmentEvent, query: SegmentQuery): boolean {
  const { fate, fault, origin, after, before } = query;
  return (
    (fate === undefined || fateOf(event) === fate) &&
    (fault === undefined || touchedBy(event, fault)) &&
    (origin === undefined || event.origin === origin) &&
    (after === undefined || (event !== after && event.atNs >= nanosOf(after))) &&
    (before === undefined || event.atNs < nanosOf(before))
  );
}

function touchedBy(event: SegmentEvent, fault: string | boolean): boolean {
  return typeof fault === 'string'
    ? event.faults.some((mark) => mark.fault === fault)
    : event.faults.length > 0 === fault;
}

const bits = (flags: FlagsText): Flags => parseFlags(typeof flags === 'string' ? flags : flags.join(','));

/** What became of a segment by the end of the run. */
export function fateOf(event: SegmentEvent): Fate {
  if (event.deliveries.length > 0) return 'delivered';
  return event.held ? 'held' : 'dropped';
}

/** When the other side was first given it. */
export function deliveredAtNs(event: SegmentEvent): Nanos | undefined {
  return event.deliveries.reduce<Nanos | undefined>(
    (first, { atNs }) => (first === undefined || atNs < first ? atNs : first),
    undefined,
  );
}

export interface CallQuery {
  /** The call's name, such as `connect`. */
  readonly call?: string;
  /** The number of the socket within its side. */
  readonly socket?: number;
  readonly result?: CallRecord['result']['kind'];
}

/** The socket calls of a side, in the order they were made. */
export function callsOf(trace: Trace, side: Side, query: CallQuery = {}): readonly CallRecord[] {
  return trace.events.filter(
    (event): event is CallRecord =>
      event.kind === 'call' &&
      event.side === side &&
      (query.call === undefined || event.call === query.call) &&
      (query.socket === undefined || event.socket === query.socket) &&
      (query.result === undefined || event.result.kind === query.result),
  );
}

/** What tracepoints and timers said of a side, optionally of one kind (`tcp_retransmit_skb`). */
export function notesOf(trace: Trace, side: Side, what?: string): readonly NoteRecord[] {
  return trace.events.filter(
    (event): event is NoteRecord =>
      event.kind === 'note' && event.side === side && (what === undefined || event.what === what),
  );
}

/** The scenario's own remarks. */
export function marksOf(trace: Trace): readonly MarkEvent[] {
  return trace.events.filter((event) => event.kind === 'mark');
}

/** The times between neighbours, in milliseconds: one less than there are events. */
export function gaps(events: readonly { readonly atNs: Nanos }[]): readonly number[] {
  return events.slice(1).map((event, i) => msBetween(events[i] ?? event, event));
}

/** Milliseconds from one instant to another; negative when `to` is earlier. */
export function msBetween(from: Instant, to: Instant): number {
  return (nanosOf(to) - nanosOf(from)) / NANOS_PER_MS;
}

export function nanosOf(instant: Instant): Nanos {
  return typeof instant === 'number' ? instant : instant.atNs;
}

/** The time of the last thing that the trace saw, deliveries and returns of calls included. */
export function endNs(trace: Trace): Nanos {
  return trace.events.reduce((end, event) => Math.max(end, lastInstant(event)), 0);
}

function lastInstant(event: TraceEvent): Nanos {
  if (event.kind === 'segment') return Math.max(event.atNs, ...event.deliveries.map(({ atNs }) => atNs));
  return event.kind === 'call' ? event.returnedNs : event.atNs;
}

/** Indexes into `trace.events`, as evidence of a judgement. Events that are not of this trace are left out. */
export function indexesOf(trace: Trace, events: Iterable<TraceEvent>): readonly number[] {
  const wanted = new Set(events);
  return trace.events.flatMap((event, index) => (wanted.has(event) ? [index] : []));
}
