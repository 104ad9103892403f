/** Finds the connection that a segment belongs to. */
import { FLAG, hasFlags, type Segment, seqAdd } from '../segment/index.js';
import { otherSide, type Side } from './flow.js';
import { type Flow, type HalfFlow, isOver, newHalf, positionOf } from './flow-state.js';

/** Connections remembered at once; beyond, the eighth that was silent the longest is forgotten. */
export const MAX_FLOWS = 8192;
/** Connections remembered of one pair of addresses and ports, which a reused port makes several. */
const MAX_GENERATIONS = 8;
/** How far off a half counts whose numbers are not known: farther than one that fits, nearer than one that does not. */
const UNKNOWN_DISTANCE = 1 << 20;

export class FlowTable {
  /** By both ports; the oldest connection of the same ports first. */
  readonly #flows = new Map<number, Flow[]>();
  #size = 0;
  #count = 0;
  #clock = 0;

  /** The flow of a segment that comes from a side; a new one where it begins one or none is known. */
  flowOf(segment: Segment, from: Side): Flow {
    const flow = this.find(segment, from) ?? this.#add(segment, from);
    this.#clock += 1;
    flow.lastHeard = this.#clock;
    return flow;
  }

  /** The flow of a segment as it would be now, outside the table when it is new. */
  peek(segment: Segment, from: Side): Flow {
    return this.find(segment, from) ?? newFlow(this.#count + 1, segment, from);
  }

  find(segment: Segment, from: Side): Flow | undefined {
    const flows = this.#flows.get(keyOf(segment, from));
    if (flows === undefined) return undefined;
    const newest = flows.findLast((flow) => isOf(flow, segment, from));
    if (newest === undefined) return undefined;
    if (hasFlags(segment, FLAG.SYN) && !hasFlags(segment, FLAG.ACK)) {
      return flows.findLast((flow) => isOf(flow, segment, from) && isSynOf(flow, segment, from, newest));
    }
    if (flows.length === 1) return newest;
    const candidates = flows.filter((flow) => isOf(flow, segment, from));
    if (hasFlags(segment, FLAG.SYN)) {
      const answered = candidates.findLast((flow) => isSynAckOf(flow, segment, from));
      if (answered !== undefined) return answered;
    }
    return nearest(candidates, segment, from);
  }

  #add(segment: Segment, from: Side): Flow {
    if (this.#size >= MAX_FLOWS) this.#forgetSilent();
    this.#count += 1;
    this.#size += 1;
    const flow = newFlow(this.#count, segment, from);
    const key = keyOf(segment, from);
    const flows = this.#flows.get(key) ?? [];
    const earlier = flows.filter((other) => isOf(other, segment, from));
    const tooOld = earlier.length < MAX_GENERATIONS ? undefined : earlier[0];
    if (tooOld !== undefined) this.#size -= 1;
    this.#flows.set(key, [...flows.filter((other) => other !== tooOld), flow]);
    return flow;
  }

  #forgetSilent(): void {
    const heard = [...this.#flows.values()].flat().map((flow) => flow.lastHeard);
    const limit = heard.sort((a, b) => a - b)[MAX_FLOWS / 8] ?? 0;
    for (const [key, flows] of this.#flows) {
      const kept = flows.filter((flow) => flow.lastHeard > limit);
      this.#size -= flows.length - kept.length;
      if (kept.length === 0) this.#flows.delete(key);
      else if (kept.length < flows.length) this.#flows.set(key, kept);
    }
  }
}

function newFlow(number: number, { ip }: Segment, from: Side): Flow {
  const addresses =
    from === 'client' ? { client: ip.src, server: ip.dst } : { client: ip.dst, server: ip.src };
  return { number, ip: addresses, client: newHalf(), server: newHalf(), lastHeard: 0, isReset: false };
}

const keyOf = ({ srcPort, dstPort }: Segment, from: Side): number =>
  from === 'client' ? srcPort * 65536 + dstPort : dstPort * 65536 + srcPort;

const isOf = (flow: Flow, { ip }: Segment, from: Side): boolean =>
  flow.ip[from] === ip.src && flow.ip[otherSide(from)] === ip.dst;

/** A SYN belongs to the connection that it began, or crosses the other side's SYN (a simultaneous open). */
function isSynOf(flow: Flow, segment: Segment, from: Side, newest: Flow): boolean {
  if (isOver(flow)) return false;
  const own = flow[from];
  if (own.iss !== undefined) return own.iss === segment.seq;
  const other = flow[otherSide(from)];
  return flow === newest && own.base === undefined && other.syn !== undefined && other.synAck === undefined;
}

/**
 * A SYN,ACK belongs to the connection whose SYN it acknowledges and that has no SYN,ACK of another number: an old duplicate
 * SYN begins another connection with the numbers of the first, and ISNs of the same ports are near each other (RFC 6528).
 */
function isSynAckOf(flow: Flow, segment: Segment, from: Side): boolean {
  const { iss } = flow[from];
  const asked = flow[otherSide(from)].iss;
  return (
    asked !== undefined && segment.ack === seqAdd(asked, 1) && (iss === undefined || iss === segment.seq)
  );
}

function nearest(flows: readonly Flow[], segment: Segment, from: Side): Flow | undefined {
  let best: Flow | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const flow of flows) {
    const seqDistance = distance(flow[from], segment.seq);
    const ackDistance = hasFlags(segment, FLAG.ACK) ? distance(flow[otherSide(from)], segment.ack) : 0;
    if (seqDistance + ackDistance > bestDistance) continue;
    best = flow;
    bestDistance = seqDistance + ackDistance;
  }
  return best;
}

const distance = (half: HalfFlow, seq: Segment['seq']): number =>
  half.base === undefined ? UNKNOWN_DISTANCE : Math.abs(positionOf(half, seq) - half.next);
