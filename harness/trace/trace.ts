/**
 * The record of one run: everything that was seen, in one order, on one clock. A check is a pure function of it.
 */
import type { Nanos } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { Receipt, Side } from '../fault/index.js';
import type { Eye, NoteRecord, TransitionRecord } from '../observe/index.js';
import type { Segment } from '../segment/index.js';
import type { SegmentRecord } from '../wire/index.js';

/** A segment of the trace: the wire's record and the decoded segment (absent where it is not TCP or malformed). */
export interface SegmentEvent extends SegmentRecord {
  readonly segment?: Segment;
}

/** A remark of the scenario itself, for people: `releases both SYNs`. */
export interface MarkEvent {
  readonly kind: 'mark';
  readonly atNs: Nanos;
  readonly text: string;
}

export type TraceEvent = SegmentEvent | TransitionRecord | NoteRecord | CallRecord | MarkEvent;

export interface TraceEndpoint {
  readonly side: Side;
  readonly stack: string;
  readonly ip: string;
  /** The program there, where nobody drives it: a user's own, whose calls are not in the trace. */
  readonly application?: string;
}

export interface Trace {
  readonly version: 1;
  readonly scenario: string;
  readonly lab: string;
  readonly ipVersion: 4 | 6;
  /** Wall-clock time of `atNs` 0, nanoseconds since 1970, as decimal text. */
  readonly startedAtUnixNs: string;
  readonly endpoints: readonly TraceEndpoint[];
  /** The fault plan's receipts at the end of the run. */
  readonly receipts: readonly Receipt[];
  /** Which eyes watched the states. */
  readonly eyes: readonly Eye[];
  /** Measured bounds of how far stamps of the sources may be apart, in nanoseconds. */
  readonly alignment: { readonly segmentsErrorNs: number; readonly transitionsErrorNs: number };
  /** Settings the scenario pinned, such as sysctls, for the reader. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Ordered by `atNs`; events of equal time in the order they were recorded. */
  readonly events: readonly TraceEvent[];
}
