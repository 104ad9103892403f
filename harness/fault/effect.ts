/** What the fault engine tells the wire to do. The wire carries it out and stamps it. */
import type { Side } from './flow.js';

/**
 * `deliver` hands a packet to a side after `delayNs`; `drop` and `hold` say that nothing goes on for now. A held
 * arrival comes back as a later `deliver` with its id. `inject` is a packet that nobody sent; it gets an arrival id
 * of its own from the wire. `fault` is the id of the fault that asked for it, absent where the segment merely passes.
 */
export type Effect =
  | {
      readonly kind: 'deliver';
      readonly arrival: number;
      readonly to: Side;
      readonly packet: Uint8Array;
      readonly delayNs: number;
      readonly fault?: string;
    }
  | { readonly kind: 'drop'; readonly arrival: number; readonly fault: string }
  | { readonly kind: 'hold'; readonly arrival: number; readonly fault: string }
  | {
      readonly kind: 'inject';
      readonly to: Side;
      readonly packet: Uint8Array;
      readonly delayNs: number;
      readonly fault: string;
    };

/** What a fault did to one segment, in the words of its action: for the record. */
export interface FaultMark {
  readonly fault: string;
  /** A verb in the past: `dropped`, `delayed by 300 ms`, `rewritten (window)`. */
  readonly what: string;
}

/** How often a fault matched and acted. Zero matches make a scenario inconclusive. */
export interface Receipt {
  readonly fault: string;
  /** The fault as its one-line text. */
  readonly text: string;
  readonly matched: number;
  readonly acted: number;
  /** Arrival ids that it acted on, in order. */
  readonly arrivals: readonly number[];
}
