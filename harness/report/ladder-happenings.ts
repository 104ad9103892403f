/** What a ladder shows of a trace, as a list in time: departures, late arrivals, states, calls, remarks. */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { Certainty } from '../observe/index.js';
import { FLAG } from '../segment/index.js';
import { connectionsOf, isTcp, type SegmentEvent, type Trace, type TraceEvent } from '../trace/index.js';
import type { Delivery } from '../wire/index.js';

/**
 * - `through`: delivered at once; `lost`: never delivered; `departs`: delivered later, by an `arrives` of its own;
 * - `injected`: comes from the wire, not from an end.
 */
export type ArrowShape = 'through' | 'lost' | 'departs' | 'arrives' | 'injected';

export type Happening =
  | { readonly kind: 'arrow'; readonly atNs: Nanos; readonly shape: ArrowShape; readonly event: SegmentEvent }
  | {
      readonly kind: 'state';
      readonly atNs: Nanos;
      readonly side: Side;
      readonly text: string;
      readonly certainty: Certainty;
    }
  | {
      readonly kind: 'call';
      readonly atNs: Nanos;
      readonly side: Side;
      readonly text: string;
      /** When `text` is too long. */
      readonly short: string;
    }
  | { readonly kind: 'remark'; readonly atNs: Nanos; readonly text: string };

/** A delivery that a fault made this late is drawn in a row of its own. */
const LATE_NS = 3 * NANOS_PER_MS;
/** Without a fault it is the machine that is busy: told when it is gross. */
const GROSSLY_LATE_NS = 25 * NANOS_PER_MS;

export interface HappeningsOptions {
  /** The run goes on: what is held or delayed may still be delivered. */
  readonly isLive?: boolean;
}

export function happeningsOf(trace: Trace, options: HappeningsOptions = {}): readonly Happening[] {
  const segments = trace.events.filter((event): event is SegmentEvent => event.kind === 'segment');
  const others: Others = { segments, turningPoints: segments.filter(isTurningPoint) };
  let index = -1;
  const happenings = trace.events.flatMap((event): readonly Happening[] => {
    switch (event.kind) {
      case 'segment':
        index += 1;
        return arrows({ event, index }, others, options);
      case 'call':
        return calls(event);
      case 'mark':
        return [{ kind: 'remark', atNs: event.atNs, text: event.text }];
      default:
        return [];
    }
  });
  return [...states(trace), ...happenings].toSorted((a, b) => a.atNs - b.atNs);
}

/** All segments of the trace, by the time at which they came onto the wire. */
interface Others {
  readonly segments: readonly SegmentEvent[];
  readonly turningPoints: readonly SegmentEvent[];
}

interface Placed {
  readonly event: SegmentEvent;
  /** Among all segments. */
  readonly index: number;
}

function arrows(placed: Placed, others: Others, { isLive = false }: HappeningsOptions): readonly Happening[] {
  const { event } = placed;
  const { atNs, deliveries } = event;
  const late = deliveries.filter((delivery) => isLate(placed, delivery, others));
  const arrivals = late.map(
    (delivery) => ({ kind: 'arrow', atNs: delivery.atNs, shape: 'arrives', event }) as const,
  );
  const isPrompt = late.length < deliveries.length;
  const isInjected = event.origin === 'fault' || event.origin === 'user';
  if (isInjected) return [{ kind: 'arrow', atNs, shape: 'injected', event }, ...arrivals];
  const isComing = late.length > 0 || (isLive && isUnderWay(event));
  const shape = isPrompt ? 'through' : isComing ? 'departs' : 'lost';
  return [{ kind: 'arrow', atNs, shape, event }, ...arrivals];
}

const isUnderWay = ({ held, faults }: SegmentEvent): boolean =>
  held || faults.some(({ what }) => what.startsWith('delayed'));

/** Late in time, overtaken by a segment of its own side, or crossed by another that opens or closes as well. */
function isLate(placed: Placed, delivery: Delivery, { turningPoints, segments }: Others): boolean {
  const { event } = placed;
  if (delivery.atNs - event.atNs > (event.faults.length > 0 ? LATE_NS : GROSSLY_LATE_NS)) return true;
  if (isOvertaken(placed, delivery, segments)) return true;
  if (!isTurningPoint(event)) return false;
  return turningPoints.some(
    (other) =>
      other.from !== event.from &&
      other.atNs < delivery.atNs &&
      other.deliveries.some(({ atNs }) => atNs > event.atNs),
  );
}

/** Only what came before the delivery can have been delivered before it: the next few segments. */
function isOvertaken(
  { event, index }: Placed,
  delivery: Delivery,
  segments: readonly SegmentEvent[],
): boolean {
  for (let i = index + 1; i < segments.length; i += 1) {
    const other = segments[i];
    if (other === undefined || other.atNs >= delivery.atNs) return false;
    if (other.from !== event.from || other.atNs <= event.atNs) continue;
    if (other.deliveries.some(({ atNs }) => atNs < delivery.atNs)) return true;
  }
  return false;
}

const isTurningPoint = (event: SegmentEvent): boolean =>
  isTcp(event) && (event.segment.flags & (FLAG.SYN | FLAG.FIN | FLAG.RST)) !== 0;

/** Of listening sockets only that they came to be, when that was seen in time: what follows belongs to connections. */
function states(trace: Trace): readonly Happening[] {
  const hasSeveral = flowCount(trace.events) > 1;
  const beganNs = trace.events.find(isTcp)?.atNs ?? Number.POSITIVE_INFINITY;
  const opened = trace.events.flatMap((event): readonly Happening[] => {
    if (event.kind !== 'transition' || event.to !== 'LISTEN' || event.remote.port !== 0) return [];
    const { atNs, side, certainty } = event;
    return atNs > beganNs ? [] : [{ kind: 'state', atNs, side, text: 'LISTEN', certainty }];
  });
  const ofConnections = (['client', 'server'] as const)
    .flatMap((side) => connectionsOf(trace, side))
    .flatMap(({ flow, transitions }) =>
      transitions.map(({ atNs, side, to, certainty }): Happening => {
        const prefix = hasSeveral && flow !== undefined ? `#${flow} ` : '';
        return { kind: 'state', atNs, side, text: `${prefix}${to}`, certainty };
      }),
    );
  return [...opened, ...ofConnections];
}

export function flowCount(events: readonly TraceEvent[]): number {
  return new Set(events.filter(isTcp).map(({ facts }) => facts.flow)).size;
}

/** Calls that look and change nothing are no part of the story. */
const LOOKS: ReadonlySet<string> = new Set([
  'state',
  'info',
  'queues',
  'error',
  'poll',
  'getOption',
  'sockets',
]);
/** Calls that wait for the other side: what they found tells more than that they were made. */
const WAITS: ReadonlySet<string> = new Set(['accept', 'receive', 'receiveAll']);

function calls(record: CallRecord): readonly Happening[] {
  const { call, side, atNs, returnedNs } = record;
  if (LOOKS.has(call)) return [];
  const made = { kind: 'call', atNs, side, text: `${call}(${argumentsText(record)})`, short: call } as const;
  const found = resultText(record.result);
  if (found === undefined) return [WAITS.has(call) ? { ...made, atNs: returnedNs } : made];
  const returned = { kind: 'call', atNs: returnedNs, side, text: `${call}: ${found}`, short: found } as const;
  return WAITS.has(call) || returnedNs - atNs <= LATE_NS ? [returned] : [made, returned];
}

const argumentsText = ({ args: { how, octets } }: CallRecord): string => String(how ?? octets ?? '');

function resultText(result: CallRecord['result']): string | undefined {
  switch (result.kind) {
    case 'ok':
      return undefined;
    case 'data':
      return `${result.octets} ${result.octets === 1 ? 'octet' : 'octets'}`;
    case 'end':
      return 'end';
    case 'error':
      return result.errno;
    case 'timeout':
      return `gave up`;
  }
}
