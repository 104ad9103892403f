/** One segment among what is known of its connection: what the rules for roles look at. */
import type { Segment } from '../segment/index.js';
import type { HalfFlow } from './flow-state.js';

/** A segment that comes onto the wire, among what is known of its connection. */
export interface Scene {
  readonly id: number;
  readonly segment: Segment;
  readonly sender: HalfFlow;
  readonly other: HalfFlow;
  /** Position of SEG.SEQ, and of SEG.ACK in the other half where the ACK bit is set. */
  readonly at: number;
  readonly ackAt: number | undefined;
}
