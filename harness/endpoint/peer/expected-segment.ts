/** What a script says of a segment it expects, field by field; a field that it leaves out may be anything. */
import type { Flags, SeqNumber, TcpOption } from '../../segment/index.js';
import type { SeqRef } from './sequence-points.js';

export interface NumberRange {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export type ExpectedNumber = number | NumberRange | ((value: number) => boolean);

/** Both ends belong to the range. */
export interface SeqRange {
  readonly from?: SeqRef;
  readonly to?: SeqRef;
}

export type ExpectedSeq = SeqRef | SeqRange | ((value: SeqNumber) => boolean);

/**
 * `'SYN,ACK'`: these and no others, but PSH only counts where it is named (RFC 9293 leaves it to the sender).
 * `{has, not}`: those it must and must not have.
 */
export type ExpectedFlags =
  | Flags
  | string
  | { readonly has?: string; readonly not?: string }
  | ((flags: Flags) => boolean);

export interface ExpectedSegment {
  readonly flags?: ExpectedFlags;
  /** A number of the other side. */
  readonly seq?: ExpectedSeq;
  /** A number of the peer. Asking for it asks for the ACK bit, too. */
  readonly ack?: ExpectedSeq;
  readonly window?: ExpectedNumber;
  readonly urgentPointer?: ExpectedNumber;
  readonly srcPort?: ExpectedNumber;
  readonly dstPort?: ExpectedNumber;
  readonly payload?: string | Uint8Array | ((data: Uint8Array) => boolean);
  readonly payloadOctets?: ExpectedNumber;
  readonly options?: ExpectedOptions | ((options: readonly TcpOption[]) => boolean);
  readonly ttl?: ExpectedNumber;
  readonly trafficClass?: ExpectedNumber;
}

/** `true`: it is there, `false`: it is not. */
export interface ExpectedOptions {
  readonly mss?: boolean | ExpectedNumber;
  readonly windowScale?: boolean | ExpectedNumber;
  readonly sackPermitted?: boolean;
  readonly timestamps?: boolean | { readonly tsVal?: ExpectedNumber; readonly tsEcr?: ExpectedNumber };
  readonly sack?: boolean | readonly (readonly [left: SeqRef, right: SeqRef])[];
  readonly fastOpen?: boolean;
}
