/** What the wire records of each segment: plain data, posted from the wire's thread to whoever reads it. */
import type { Nanos } from '../clock/index.js';
import type { FaultMark, FlowFacts, Side } from '../fault/index.js';

export interface Delivery {
  /** When the packet was handed to the receiving side. */
  readonly atNs: Nanos;
  readonly to: Side;
  /** Present when it is not the packet that arrived (rewritten, corrupted, truncated). */
  readonly packet?: Uint8Array;
}

export interface SegmentRecord {
  readonly kind: 'segment';
  /** Number of the arrival on this wire, from 1. */
  readonly id: number;
  /** When it came onto the wire: the kernel's receive stamp where the carrier has one. */
  readonly atNs: Nanos;
  readonly from: Side;
  /** `endpoint`: sent by the stack under test; `peer`: by a scripted peer; `fault`: injected by the plan; `user`: injected by the scenario. */
  readonly origin: 'endpoint' | 'peer' | 'fault' | 'user';
  /**
   * Where the wire is made of hooks in an endpoint's namespace (`wire/nfqueue`), the one that had it: `output`, at its sender's own;
   * `input`, at its receiver's, after the network.
   */
  readonly hook?: 'output' | 'input';
  /** The IP packet as it arrived. */
  readonly packet: Uint8Array;
  /** Absent for what could not be decoded as TCP (ICMP, fragments, malformed): passed on untouched. */
  readonly facts?: FlowFacts;
  /** Grows while the segment is under way: empty and nothing held means dropped. */
  readonly deliveries: readonly Delivery[];
  readonly faults: readonly FaultMark[];
  readonly held: boolean;
}
