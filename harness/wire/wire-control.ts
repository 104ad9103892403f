/** What a scenario can do with the wire while it runs. Commands are in force when their promise resolves. */
import type { Fault, Match, Receipt, Side } from '../fault/index.js';
import type { SegmentRecord } from './record.js';

export interface WireControl {
  /** Adds faults behind those already in the plan. */
  add(...faults: readonly Fault[]): Promise<void>;
  /** Takes faults out of the plan by id; their receipts stay. Segments that they hold are released. */
  remove(...ids: readonly string[]): Promise<void>;
  /** Lets go what the named hold fault holds, in order, and stops it from holding more. The number of segments let go. */
  release(fault: string): Promise<number>;
  /** Puts an IP packet that nobody sent onto the wire; it passes the fault plan as the other side's would. */
  inject(packet: Uint8Array, to: Side): Promise<void>;
  /**
   * The first segment, past or to come, that matches; with `delivered`, once it has reached the other side (a match whose
   * segment was dropped is passed over then). Rejects with a `TimeoutError` that names the match after `withinMs` (default 10 s).
   */
  sees(match: Match, options?: { withinMs?: number; delivered?: boolean }): Promise<SegmentRecord>;
  /** Resolves once no segment has come or gone for `forMs`; rejects after `withinMs`. */
  quiet(options: { forMs: number; withinMs: number }): Promise<void>;
  /** Everything so far, in order of arrival. */
  records(): readonly SegmentRecord[];
  receipts(): Promise<readonly Receipt[]>;
}

/** What was waited for on the wire did not come. Says nothing about the stacks' own time-outs. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}
