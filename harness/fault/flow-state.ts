/** What the wire knows of one connection: plain data, so that it can be cloned for a look that changes nothing. */
import { option, type Segment, type SeqNumber, seqAdd, seqDiff } from '../segment/index.js';
import type { Side } from './flow.js';
import { noRanges, type Sent, type SentRanges } from './sent-ranges.js';

/**
 * One direction of a connection. Positions count from `base`: the ISS, or the first sequence number seen where
 * the start of the connection was not.
 */
export interface HalfFlow {
  iss: SeqNumber | undefined;
  base: SeqNumber | undefined;
  /** Behind the highest octet that it sent (SND.NXT, as the wire saw it). */
  next: number;
  /** As far as an acknowledgment was delivered to it (SND.UNA). */
  acknowledged: number;
  /** The window that was delivered to it last, in octets. */
  windowGiven: number | undefined;
  /** The shift of its Window Scale option. */
  shift: number | undefined;
  syn: Sent | undefined;
  synAck: Sent | undefined;
  data: SentRanges;
  fin: Fin | undefined;
  rst: (Sent & { seq: SeqNumber }) | undefined;
  /** Its latest keep-alive or window probe that nothing was delivered in answer to. */
  probe: (Sent & { seq: SeqNumber }) | undefined;
  pureAck: (Sent & { seq: SeqNumber; ack: SeqNumber; window: number }) | undefined;
  /** Its acknowledgment of the other side's SYN,ACK and FIN. */
  handshakeAck: Answer;
  finAck: Answer & { role?: 'active-fin-ack' | 'final-ack' };
}

export interface Fin extends Sent {
  readonly position: number;
  readonly role: 'active-fin' | 'passive-fin';
  isDelivered: boolean;
}

/** What a side owes and gives for each SYN,ACK or FIN that is delivered to it. */
export interface Answer {
  sent?: Sent;
  questions: number;
  answers: number;
  /** The latest question was delivered after the latest answer was sent. */
  isAsked: boolean;
}

export interface Flow {
  readonly number: number;
  readonly ip: Readonly<Record<Side, string>>;
  readonly client: HalfFlow;
  readonly server: HalfFlow;
  lastHeard: number;
  /** A RST was delivered: a SYN that follows begins another connection, whatever its number. */
  isReset: boolean;
}

export const noAnswer = (): Answer => ({ questions: 0, answers: 0, isAsked: false });

/** A SYN,ACK or FIN is delivered to the side that owes the answer. */
export function ask(answer: Answer): void {
  answer.questions += 1;
  answer.isAsked = true;
}

export const newHalf = (): HalfFlow => ({
  iss: undefined,
  base: undefined,
  next: 0,
  acknowledged: 0,
  windowGiven: undefined,
  shift: undefined,
  syn: undefined,
  synAck: undefined,
  data: noRanges(),
  fin: undefined,
  rst: undefined,
  probe: undefined,
  pureAck: undefined,
  handshakeAck: noAnswer(),
  finAck: noAnswer(),
});

/** Both FINs have been acknowledged, or a RST was delivered. */
export const isOver = ({ client, server, isReset }: Flow): boolean =>
  isReset || (client.finAck.sent !== undefined && server.finAck.sent !== undefined);

/** The position of a sequence number of this half: the one nearest to what was sent last, so that wraps do not show. */
export function positionOf(half: HalfFlow, seq: SeqNumber): number {
  return half.base === undefined ? 0 : half.next + seqDiff(seq, seqAdd(half.base, half.next));
}

/** RFC 7323 section 2.2: shifts count when both SYNs offered one, and no more than 14. */
export function windowOctets(segment: Segment, sender: HalfFlow, other: HalfFlow, isSyn: boolean): number {
  if (isSyn || sender.shift === undefined || other.shift === undefined) return segment.window;
  return segment.window * 2 ** sender.shift;
}

/** Begins a half at its SYN (again, when the number is another than that of an earlier SYN). */
export function startAtSyn(half: HalfFlow, segment: Segment): void {
  if (half.iss === segment.seq) return;
  const shift = option(segment, 'windowScale')?.shift;
  Object.assign(half, newHalf(), { handshakeAck: half.handshakeAck, windowGiven: half.windowGiven });
  half.iss = segment.seq;
  half.base = segment.seq;
  half.shift = shift === undefined ? undefined : Math.min(shift, 14);
}
