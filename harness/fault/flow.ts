/** What the flow tracker says of a segment, and the words it says it with. */
import type { Nanos } from '../clock/index.js';
import type { Segment } from '../segment/index.js';

/** An end of the wire. The client is the one that a scenario opens from. */
export const SIDES = ['client', 'server'] as const;

export type Side = (typeof SIDES)[number];

export const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/**
 * The part a segment plays in its connection. A segment can have several: a FIN may carry data, and the ACK
 * of a FIN may be the peer's own FIN.
 *
 * - `handshake-ack`: the third segment, from the side that received the SYN,ACK (with or without data)
 * - `active-fin`: a FIN whose sender had not yet been given the other side's FIN (both, in a simultaneous close)
 * - `active-fin-ack`: the first segment that acknowledges the first closer's FIN, its retransmissions, and each pure ACK
 *   that answers a retransmission of that FIN (in a simultaneous close: the first FIN to be acknowledged)
 * - `passive-fin`: the FIN of a side that had been given the other's FIN before
 * - `final-ack`: acknowledges the passive FIN (in a simultaneous close: the last FIN to be acknowledged); each
 *   answer to a retransmitted FIN is another copy of it
 * - `pure-ack`: ACK only: no SYN, FIN, RST, no data, not a keep-alive or window probe
 */
export const ROLES = [
  'syn',
  'syn-ack',
  'handshake-ack',
  'data',
  'pure-ack',
  'active-fin',
  'active-fin-ack',
  'passive-fin',
  'final-ack',
  'rst',
  'keep-alive',
  'window-probe',
] as const;

export type Role = (typeof ROLES)[number];

/** Which transmission of a role this is. */
export interface RolePart {
  readonly role: Role;
  readonly copy: number;
  readonly original: number;
}

export interface FlowFacts {
  /** Connections of one wire, numbered from 1 in the order of their first segment. A port reused by a new SYN is a new flow. */
  readonly flow: number;
  readonly from: Side;
  readonly roles: readonly Role[];
  /** Which transmission of this segment this is: 1 for the original, 2 for the first retransmission. Never 0. */
  readonly copy: number;
  /** Arrival id of the first transmission: its own when `copy` is 1. */
  readonly original: number;
  /** The count of a role, where it differs from the segment's: old data that a new FIN rides on, a FIN that answers a FIN. */
  readonly parts?: readonly RolePart[];
  /** SEG.SEQ relative to the sender's ISS; undefined while the wire has not seen that ISS. */
  readonly relSeq: number | undefined;
  /** SEG.ACK relative to the other side's ISS; undefined without ACK bit or ISS. */
  readonly relAck: number | undefined;
  /** SEG.LEN: octets of data, plus one each for SYN and FIN. */
  readonly len: number;
  /** SEG.WND scaled as negotiated (never on a SYN), in octets. */
  readonly windowOctets: number;
}

/** A segment as it comes onto the wire. */
export interface Arrival {
  /** Number of the arrival on this wire, from 1. */
  readonly id: number;
  readonly atNs: Nanos;
  readonly from: Side;
  /** The IP packet. */
  readonly packet: Uint8Array;
  readonly segment: Segment;
}
