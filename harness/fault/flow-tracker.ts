/** Follows the connections of one wire and says which part each segment plays in its own. */
import type { Segment } from '../segment/index.js';
import type { Arrival, FlowFacts, Side } from './flow.js';

export class FlowTracker {
  /** A segment comes onto the wire: what it is. Call once for each, in order of arrival. */
  arrive(arrival: Arrival): FlowFacts {
    return this.look(arrival);
  }

  /** What it would be if it came now; changes nothing. For segments that a fault forges, which their side never sent. */
  look(arrival: Arrival): FlowFacts {
    const { id, from } = arrival;
    return {
      flow: 1,
      from,
      roles: [],
      copy: 1,
      original: id,
      relSeq: undefined,
      relAck: undefined,
      len: 0,
      windowOctets: 0,
    };
  }

  /** A segment (as it is after any rewriting) reaches a side. */
  delivered(_segment: Segment, _to: Side): void {}
}
