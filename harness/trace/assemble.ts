/**
 * A lab's recording becomes a trace: everything in one order, on one clock that starts with the first event.
 * No stamp is altered but by that common shift: sources may disagree by `alignment`, and the trace says so.
 */
import type { Nanos } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { Recording } from '../lab/index.js';
import type { NoteRecord, TransitionRecord } from '../observe/index.js';
import { decode } from '../segment/index.js';
import type { SegmentRecord } from '../wire/index.js';
import type { MarkEvent, SegmentEvent, Trace, TraceEndpoint, TraceEvent } from './trace.js';

/** What a recording does not know of its run. */
export interface TraceMeta {
  readonly scenario: string;
  readonly lab: string;
  readonly ipVersion: 4 | 6;
  readonly endpoints: readonly TraceEndpoint[];
  readonly settings?: Trace['settings'];
  /** Remarks of the scenario, stamped by the lab's clock. */
  readonly marks?: readonly MarkEvent[];
  /** What time counts from, on the lab's clock (default: the first event). For traces whose times are to be compared. */
  readonly startNs?: Nanos;
}

export function assemble(recording: Recording, meta: TraceMeta): Trace {
  const { segments, transitions, notes, calls, receipts, eyes, alignment } = recording;
  const all = [...(meta.marks ?? []), ...calls, ...notes, ...transitions, ...segments];
  const startNs = meta.startNs ?? firstNs(all);
  return {
    version: 1,
    scenario: meta.scenario,
    lab: meta.lab,
    ipVersion: meta.ipVersion,
    startedAtUnixNs: String(BigInt(recording.epochUnixNs) + BigInt(startNs)),
    endpoints: meta.endpoints,
    receipts,
    eyes,
    alignment,
    settings: meta.settings ?? {},
    events: inOrder(all.map((record) => since(startNs, record))),
  };
}

/** The whole nanosecond at which the first event lies. */
const firstNs = (events: readonly { readonly atNs: Nanos }[]): Nanos =>
  Math.floor(events.reduce((first, { atNs }) => Math.min(first, atNs), events[0]?.atNs ?? 0));

/**
 * By stamp; at one and the same stamp, causes before effects: the remark that announces a call, the call, what the
 * kernel says it does, the state that it takes, the segment that leaves. Equals stay in the order they were recorded.
 */
export function inOrder(events: readonly TraceEvent[]): readonly TraceEvent[] {
  return events.toSorted((a, b) => a.atNs - b.atNs || RANK[a.kind] - RANK[b.kind]);
}

const RANK: Readonly<Record<TraceEvent['kind'], number>> = {
  mark: 0,
  call: 1,
  note: 2,
  transition: 3,
  segment: 4,
};

function since(
  startNs: Nanos,
  record: SegmentRecord | TransitionRecord | NoteRecord | CallRecord | MarkEvent,
): TraceEvent {
  const atNs = record.atNs - startNs;
  switch (record.kind) {
    case 'segment':
      return withSegment({
        ...record,
        atNs,
        deliveries: record.deliveries.map((each) => ({ ...each, atNs: each.atNs - startNs })),
      });
    case 'transition':
      // The last look before a bounded transition may lie before the first event: then it is negative.
      return record.notBeforeNs === undefined
        ? { ...record, atNs }
        : { ...record, atNs, notBeforeNs: record.notBeforeNs - startNs };
    case 'call':
      return { ...record, atNs, returnedNs: record.returnedNs - startNs };
    default:
      return { ...record, atNs };
  }
}

/** The record with its packet decoded, where it is TCP. */
export function withSegment(record: SegmentRecord): SegmentEvent {
  const decoded = decode(record.packet);
  return decoded.kind === 'segment' ? { ...record, segment: decoded.segment } : record;
}
