/**
 * Alters a recorded trace, so that a check can be shown to fail: a segment gone, another number in a header, a time moved,
 * another state or result. What hangs on a change follows: packets are encoded anew, relative numbers and lengths too.
 */
import { NANOS_PER_MS } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { FlowFacts } from '../fault/index.js';
import type { TransitionRecord } from '../observe/index.js';
import { decode, encode, type Segment, segLen, seqDiff } from '../segment/index.js';
import { inOrder, type TcpEvent, type Trace, type TraceEvent } from '../trace/index.js';

/** The trace with some events replaced (or taken out where `change` gives nothing), in the order of time again. */
export function changeEvents<E extends TraceEvent>(
  trace: Trace,
  chosen: Iterable<E>,
  change: (event: E) => TraceEvent | undefined,
): Trace {
  const changed = new Map<TraceEvent, TraceEvent | undefined>();
  for (const event of chosen) changed.set(event, change(event));
  const events = trace.events.flatMap((event) => {
    const now = changed.has(event) ? changed.get(event) : event;
    return now === undefined ? [] : [now];
  });
  return { ...trace, events: inOrder(events) };
}

export const removeEvents = (trace: Trace, chosen: Iterable<TraceEvent>): Trace =>
  changeEvents(trace, chosen, () => undefined);

export const addEvents = (trace: Trace, ...events: readonly TraceEvent[]): Trace => ({
  ...trace,
  events: inOrder([...trace.events, ...events]),
});

/** Segments with other fields. What was delivered is altered alike. */
export function changeSegments(
  trace: Trace,
  chosen: Iterable<TcpEvent>,
  change: (segment: Segment, event: TcpEvent) => Partial<Segment>,
): Trace {
  return changeEvents(trace, chosen, (event) => withFields(event, change(event.segment, event)));
}

/** A segment event with other fields in its header. */
export function withFields(event: TcpEvent, fields: Partial<Segment>): TcpEvent {
  const segment: Segment = { ...event.segment, ...fields };
  return {
    ...event,
    segment,
    packet: encode(segment),
    facts: factsAfter(event, segment),
    deliveries: event.deliveries.map(({ packet, ...delivery }) =>
      packet === undefined ? delivery : { ...delivery, packet: repacked(packet, fields) },
    ),
  };
}

function repacked(packet: Uint8Array, fields: Partial<Segment>): Uint8Array {
  const decoded = decode(packet);
  return decoded.kind === 'segment' ? encode({ ...decoded.segment, ...fields }) : packet;
}

/** Relative numbers move as far as the numbers did; roles and copies stay what they were recorded as. */
function factsAfter({ facts, segment: before }: TcpEvent, after: Segment): FlowFacts {
  const { relSeq, relAck, windowOctets } = facts;
  const scale = before.window === 0 ? 1 : windowOctets / before.window;
  return {
    ...facts,
    relSeq: relSeq === undefined ? undefined : relSeq + seqDiff(after.seq, before.seq),
    relAck: relAck === undefined ? undefined : relAck + seqDiff(after.ack, before.ack),
    len: segLen(after),
    windowOctets: after.window === before.window ? windowOctets : after.window * scale,
  };
}

/** Events that happen `ms` later (or earlier); all their stamps move. */
export const shiftEvents = (trace: Trace, chosen: Iterable<TraceEvent>, ms: number): Trace =>
  changeEvents(trace, chosen, (event) => shifted(event, ms));

export function shifted(event: TraceEvent, ms: number): TraceEvent {
  const by = ms * NANOS_PER_MS;
  const atNs = event.atNs + by;
  switch (event.kind) {
    case 'segment':
      return {
        ...event,
        atNs,
        deliveries: event.deliveries.map((each) => ({ ...each, atNs: each.atNs + by })),
      };
    case 'transition':
      return event.notBeforeNs === undefined
        ? { ...event, atNs }
        : { ...event, atNs, notBeforeNs: event.notBeforeNs + by };
    case 'call':
      return { ...event, atNs, returnedNs: event.returnedNs + by };
    default:
      return { ...event, atNs };
  }
}

/** Times after an instant run at another speed: `factor` 2 makes all that follows last twice as long. */
export function stretchTime(trace: Trace, fromNs: number, factor: number): Trace {
  const late = trace.events.filter((event) => event.atNs > fromNs);
  return changeEvents(trace, late, (event) =>
    shifted(event, ((event.atNs - fromNs) * (factor - 1)) / NANOS_PER_MS),
  );
}

/** Segments that the wire lost. */
export const loseSegments = (trace: Trace, chosen: Iterable<TcpEvent>): Trace =>
  changeEvents(trace, chosen, (event) => ({ ...event, deliveries: [], held: false }));

export const changeTransitions = (
  trace: Trace,
  chosen: Iterable<TransitionRecord>,
  change: (transition: TransitionRecord) => Partial<TransitionRecord>,
): Trace => changeEvents(trace, chosen, (transition) => ({ ...transition, ...change(transition) }));

export const changeResults = (
  trace: Trace,
  chosen: Iterable<CallRecord>,
  result: CallRecord['result'],
): Trace => changeEvents(trace, chosen, (call) => ({ ...call, result }));

/** The events of a trace after an instant go. */
export const cutAfter = (trace: Trace, atNs: number): Trace => ({
  ...trace,
  events: trace.events.filter((event) => event.atNs <= atNs),
});

/** The checksum in the packet as recorded is wrong: the octets change, the decoded fields stay. */
export function corruptPacket(trace: Trace, chosen: Iterable<TcpEvent>): Trace {
  return changeEvents(trace, chosen, (event) => {
    const decoded = decode(event.packet);
    if (decoded.kind !== 'segment') return event;
    const checksum = decoded.segment.checksum ^ 0x5555;
    return { ...event, packet: encode({ ...decoded.segment, checksum }, { checksums: 'keep' }) };
  });
}
