/**
 * What a scripted peer remembers of its connection, so that a script need not: sequence numbers, and what the two SYNs
 * agreed on. It follows what the script sends and what the script has taken note of, and never acts.
 */
import {
  FLAG,
  hasFlags,
  type OptionKind,
  option,
  type Segment,
  type SeqNumber,
  segLen,
  seqAdd,
  seqGeq,
  seqGt,
  seqLeq,
  seqNumber,
} from '../../segment/index.js';
import type { KnownPoints } from './sequence-points.js';

export class PeerState implements KnownPoints {
  iss: SeqNumber | undefined;
  sndUna: SeqNumber | undefined;
  sndNxt: SeqNumber | undefined;
  irs: SeqNumber | undefined;
  rcvNxt: SeqNumber | undefined;
  /** The other side's FIN is part of what has been taken note of. */
  isFinReceived = false;
  /** TS.Recent of RFC 7323. */
  tsRecent = 0;
  #sentSyn: Segment | undefined;
  #gotSyn: Segment | undefined;

  /** Both SYNs carried timestamps (RFC 7323 section 3.2). */
  get hasTimestamps(): boolean {
    return this.#both((syn) => option(syn, 'timestamps') !== undefined);
  }

  /** Both SYNs carried Window Scale (RFC 7323 section 2.2): the shifts of what the peer and the other side advertise. */
  get windowShifts(): { readonly own: number; readonly other: number } | undefined {
    const own = this.#sentSyn && option(this.#sentSyn, 'windowScale')?.shift;
    const other = this.#gotSyn && option(this.#gotSyn, 'windowScale')?.shift;
    return own === undefined || other === undefined ? undefined : { own, other };
  }

  /** Both SYNs carried SACK-permitted (RFC 2018 section 2). */
  get hasSack(): boolean {
    return this.#both((syn) => option(syn, 'sackPermitted') !== undefined);
  }

  /** What the other side's SYN offered. */
  get otherOffers(): { windowScale: boolean; timestamps: boolean; sackPermitted: boolean } {
    const has = (kind: OptionKind) => this.#gotSyn !== undefined && option(this.#gotSyn, kind) !== undefined;
    return {
      windowScale: has('windowScale'),
      timestamps: has('timestamps'),
      sackPermitted: has('sackPermitted'),
    };
  }

  /** The other side's SYN carries an MSS, or else the default of RFC 9293 section 3.7.1. */
  get otherMssOctets(): number {
    const given = this.#gotSyn && option(this.#gotSyn, 'mss')?.mss;
    return given ?? (this.#gotSyn?.ip.version === 6 ? 1220 : 536);
  }

  /** Both sides have each other's SYN: later SYNs are strangers and start nothing. */
  get #isSynchronised(): boolean {
    return this.irs !== undefined && this.iss !== undefined && this.sndUna !== this.iss;
  }

  onSent(segment: Segment): void {
    const end = seqAdd(segment.seq, segLen(segment));
    if (hasFlags(segment, FLAG.SYN) && !this.#isSynchronised && segment.seq !== this.iss) {
      this.iss = segment.seq;
      this.sndUna = segment.seq;
      this.sndNxt = end;
      this.#sentSyn = segment;
      return;
    }
    if (hasFlags(segment, FLAG.RST)) return;
    this.sndNxt = advanced(this.sndNxt, segment.seq, end);
  }

  onReceived(segment: Segment): void {
    const end = seqAdd(segment.seq, segLen(segment));
    const timestamps = option(segment, 'timestamps');
    const isNext = this.rcvNxt === undefined || seqLeq(segment.seq, this.rcvNxt);
    // RFC 7323 section 4.3: only what is not ahead of the left edge, and only newer.
    if (timestamps !== undefined && isNext && isNewer(timestamps.tsVal, this.tsRecent)) {
      this.tsRecent = timestamps.tsVal;
    }
    const wasSynchronised = this.#isSynchronised;
    this.#onAck(segment);
    if (hasFlags(segment, FLAG.RST)) return;
    if (hasFlags(segment, FLAG.SYN) && !wasSynchronised && segment.seq !== this.irs) {
      this.irs = segment.seq;
      this.rcvNxt = end;
      this.#gotSyn = segment;
      return;
    }
    this.rcvNxt = advanced(this.rcvNxt, segment.seq, end);
    if (hasFlags(segment, FLAG.FIN) && this.rcvNxt === end) this.isFinReceived = true;
  }

  #onAck({ flags, ack }: Segment): void {
    if (!hasFlags({ flags }, FLAG.ACK) || this.sndUna === undefined || this.sndNxt === undefined) return;
    if (seqGt(ack, this.sndUna) && seqLeq(ack, this.sndNxt)) this.sndUna = ack;
  }

  #both(holds: (syn: Segment) => boolean): boolean {
    return (
      this.#sentSyn !== undefined && this.#gotSyn !== undefined && holds(this.#sentSyn) && holds(this.#gotSyn)
    );
  }
}

/** `next` moved on by `[start, end)` where that covers it: neither old duplicates nor what leaves a gap moves it. */
function advanced(next: SeqNumber | undefined, start: SeqNumber, end: SeqNumber): SeqNumber {
  if (next === undefined) return end;
  return seqLeq(start, next) && seqGt(end, next) ? end : next;
}

const isNewer = (a: number, b: number): boolean => b === 0 || seqGeq(seqNumber(a), seqNumber(b));
