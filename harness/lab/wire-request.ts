/** What a story asks of its lab's wire, and what the wire tells it. Plain data: the wire may run on another thread. */
import type { Fault, Receipt, Side } from '../fault/index.js';
import type { Delivery, RecordChange, SegmentRecord, Wire } from '../wire/index.js';

/** Each is answered with its result. */
export type WireRequest =
  | { readonly kind: 'add'; readonly faults: readonly Fault[] }
  | { readonly kind: 'remove'; readonly ids: readonly string[] }
  | { readonly kind: 'release'; readonly fault: string }
  | { readonly kind: 'inject'; readonly packet: Uint8Array; readonly to: Side }
  | { readonly kind: 'receipts' }
  /** Answered when all that has come onto the wire so far is recorded and handed over. */
  | { readonly kind: 'sync' };

export interface SyncResult {
  /** How far stamps of segments may be from the lab's clock. */
  readonly stampErrorNs: number;
  /** Wall-clock time of the lab's clock at 0. */
  readonly epochUnixNs: bigint;
}

export type WireReport =
  | { readonly kind: 'arrived'; readonly record: SegmentRecord }
  | { readonly kind: 'delivered'; readonly id: number; readonly delivery: Delivery }
  | { readonly kind: 'updated'; readonly id: number; readonly change: RecordChange }
  | { readonly kind: 'failed'; readonly message: string };

/** Carries out what the wire itself can answer. */
export function obey(
  wire: Wire,
  request: Exclude<WireRequest, { kind: 'sync' }>,
): number | readonly Receipt[] | undefined {
  switch (request.kind) {
    case 'add':
      wire.add(...request.faults);
      return undefined;
    case 'remove':
      wire.remove(...request.ids);
      return undefined;
    case 'release':
      return wire.release(request.fault);
    case 'inject':
      wire.inject(request.packet, request.to);
      return undefined;
    case 'receipts':
      return wire.receipts();
  }
}
