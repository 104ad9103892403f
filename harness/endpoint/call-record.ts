/** A socket call and its result, as the trace keeps it. */
import type { Nanos } from '../clock/index.js';
import type { Side } from '../fault/index.js';

export interface CallRecord {
  readonly kind: 'call';
  /** When the call was made, and when it returned (the same instant for calls that never wait). */
  readonly atNs: Nanos;
  readonly returnedNs: Nanos;
  readonly side: Side;
  /** `connect`, `send`, `receive`, `shutdown`, … */
  readonly call: string;
  /** Numbers the sockets of a side from 1 in the order they were made. */
  readonly socket: number;
  /** Arguments worth reading: `{ octets: 3 }`, `{ how: 'write' }`. */
  readonly args: Readonly<Record<string, string | number | boolean>>;
  readonly result:
    | { readonly kind: 'ok'; readonly value?: string | number }
    | { readonly kind: 'data'; readonly octets: number }
    | { readonly kind: 'end' }
    | { readonly kind: 'error'; readonly errno: string }
    /** The harness stopped waiting; the stack said nothing. */
    | { readonly kind: 'timeout'; readonly withinMs: number };
}

/** Where an endpoint's driver puts its calls. */
export type CallLog = (record: CallRecord) => void;
