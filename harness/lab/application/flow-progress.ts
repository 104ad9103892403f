/** How far a connection has come, as the wire saw it: what reached each side. Pure. */
import type { Side } from '../../fault/index.js';
import { decode, FLAG, type Flags, hasFlags } from '../../segment/index.js';
import type { SegmentRecord } from '../../wire/index.js';

export interface FlowProgress {
  /** The connection is open: the handshake's ACK has reached the server. */
  readonly isOpen: boolean;
  /** Octets from the beginning of the stream, without gaps, that have reached the side. */
  readonly octetsTo: Readonly<Record<Side, number>>;
  /** Octets that a side has sent, whether they arrived or not. */
  readonly octetsFrom: Readonly<Record<Side, number>>;
  /** Whether the end of the stream has reached the side, behind all data. */
  readonly isEndedTo: Readonly<Record<Side, boolean>>;
  /** Whether a side has sent its FIN. */
  readonly hasFinFrom: Readonly<Record<Side, boolean>>;
  readonly isReset: boolean;
}

interface Direction {
  /** Sequence numbers from the first octet of data on. */
  readonly arrived: { readonly from: number; readonly to: number }[];
  sent: number;
  finAt: number | undefined;
  isFinSent: boolean;
}

const direction = (): Direction => ({ arrived: [], sent: 0, finAt: undefined, isFinSent: false });

/** Of the flow with this number, from 1. */
export function flowProgress(records: readonly SegmentRecord[], flow: number): FlowProgress {
  const from: Record<Side, Direction> = { client: direction(), server: direction() };
  let isOpen = false;
  let isReset = false;
  for (const { facts, from: sender, packet, deliveries } of records) {
    if (facts?.flow !== flow || facts.relSeq === undefined) continue;
    const decoded = decode(packet);
    if (decoded.kind !== 'segment') continue;
    const { payload } = decoded.segment;
    const has = (flag: Flags): boolean => hasFlags(decoded.segment, flag);
    const hasArrived = deliveries.length > 0;
    if (has(FLAG.RST) && hasArrived) isReset = true;
    if (sender === 'client' && has(FLAG.ACK) && !has(FLAG.SYN) && hasArrived) isOpen = true;
    // The SYN has number 0, the first octet 1.
    const at = facts.relSeq - (has(FLAG.SYN) ? 0 : 1);
    note(from[sender], { at, octets: payload.length, isFin: has(FLAG.FIN), hasArrived });
  }
  const [client, server] = [from.client, from.server];
  return {
    isOpen,
    octetsTo: { client: reach(server), server: reach(client) },
    octetsFrom: { client: client.sent, server: server.sent },
    isEndedTo: { client: isEnded(server), server: isEnded(client) },
    hasFinFrom: { client: client.isFinSent, server: server.isFinSent },
    isReset,
  };
}

function note(
  way: Direction,
  {
    at,
    octets,
    isFin,
    hasArrived,
  }: { readonly at: number; readonly octets: number; readonly isFin: boolean; readonly hasArrived: boolean },
): void {
  way.sent = Math.max(way.sent, at + octets);
  way.isFinSent ||= isFin;
  if (!hasArrived) return;
  if (octets > 0) way.arrived.push({ from: at, to: at + octets });
  if (isFin) way.finAt = at + octets;
}

/** How far the stream has come without a gap. */
function reach({ arrived }: Direction): number {
  let end = 0;
  for (const { from, to } of arrived.toSorted((a, b) => a.from - b.from)) {
    if (from > end) break;
    end = Math.max(end, to);
  }
  return end;
}

const isEnded = (way: Direction): boolean => way.finAt !== undefined && reach(way) >= way.finAt;
