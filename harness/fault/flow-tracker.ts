/** Follows the connections of one wire and says which part each segment plays in its own. */
import { FLAG, hasFlags, type Segment } from '../segment/index.js';
import { type Arrival, type FlowFacts, otherSide, type Side } from './flow.js';
import { ask, positionOf, windowOctets } from './flow-state.js';
import { FlowTable } from './flow-table.js';
import { factsOf } from './segment-roles.js';

/**
 * Tell it of every segment that comes onto the wire and of every one that reaches the other side: whether a FIN is the
 * active closer's, and whether an octet beyond the window is a probe, depends on what its sender had been given by then.
 */
export class FlowTracker {
  readonly #table = new FlowTable();

  /** A segment comes onto the wire: what it is. Call once for each, in order of arrival. */
  arrive({ id, from, segment }: Arrival): FlowFacts {
    return factsOf(this.#table.flowOf(segment, from), { id, from, segment });
  }

  /**
   * What a segment would be that its side never sent (a fault forged it, or a scenario): that side's own numbers and counts
   * stay as they are. One that begins a connection, such as an old duplicate SYN, does begin it: what follows belongs to it.
   */
  look(arrival: Arrival): FlowFacts {
    const { id, from, segment } = arrival;
    if (this.#table.find(segment, from) === undefined) return this.arrive(arrival);
    return factsOf(structuredClone(this.#table.peek(segment, from)), { id, from, segment });
  }

  /** A segment (as it is after any rewriting) reaches a side. */
  delivered(segment: Segment, to: Side): void {
    const from = otherSide(to);
    const flow = this.#table.find(segment, from);
    if (flow === undefined) return;
    const receiver = flow[to];
    const sender = flow[from];
    const isSyn = hasFlags(segment, FLAG.SYN);
    receiver.probe = undefined;
    if (hasFlags(segment, FLAG.RST)) {
      flow.isReset = true;
      return;
    }
    const ack = hasFlags(segment, FLAG.ACK) ? positionOf(receiver, segment.ack) : undefined;
    // An old acknowledgment that was overtaken does not bring its old window back (RFC 9293 section 3.10.7.4, SND.WL2).
    if (ack === undefined || ack >= receiver.acknowledged) {
      receiver.windowGiven = windowOctets(segment, sender, receiver, isSyn);
    }
    if (ack !== undefined && receiver.base !== undefined && ack <= receiver.next) {
      receiver.acknowledged = Math.max(receiver.acknowledged, ack);
    }
    if (isSyn && ack !== undefined) ask(receiver.handshakeAck);
    if (hasFlags(segment, FLAG.FIN) && sender.fin !== undefined) {
      sender.fin.isDelivered = true;
      ask(receiver.finAck);
    }
  }
}
