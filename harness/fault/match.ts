/**
 * What a fault picks: plain data, so that it can be written as JSON or YAML, posted to the wire's thread and printed.
 * All clauses given must hold; a match without clauses picks every segment. See `Matcher` for the evaluation.
 */
import type { FlagName, OptionKind } from '../segment/index.js';
import type { Role, Side } from './flow.js';

/** A role of the flow tracker, or `fin` for a FIN of either kind. */
export type RoleWord = Role | 'fin';

/** One number, any of several, or a range whose ends are included (no `to`: without end). */
export type Numbers = number | readonly number[] | { readonly from: number; readonly to?: number };

export interface FlagsMatch {
  /** These are set, whatever else is. */
  readonly all?: readonly FlagName[];
  /** None of these is set. */
  readonly none?: readonly FlagName[];
  /** These are set and no others. */
  readonly exactly?: readonly FlagName[];
}

export interface OptionsMatch {
  readonly present?: readonly OptionKind[];
  readonly absent?: readonly OptionKind[];
  readonly mss?: Numbers;
  readonly windowScale?: Numbers;
  readonly tsVal?: Numbers;
  readonly tsEcr?: Numbers;
}

export interface PayloadMatch {
  /** Octets of data. */
  readonly length?: Numbers;
  /** This text occurs in the data (as UTF-8). */
  readonly contains?: string;
  /** These octets, as hexadecimal digits, occur in the data. */
  readonly containsHex?: string;
}

/** A stretch of time that begins with an event; both ends are included. */
export interface SinceMatch {
  /** The first segment that matches this. Absent: the start of the wire. */
  readonly event?: Match;
  /** At least so long after the event (default 0: any later segment). */
  readonly atLeastMs?: number;
  /** At most so long after the event (default: without end). */
  readonly atMostMs?: number;
}

/**
 * Without `nth` and `copies`, retransmissions match as their originals do. `nth` names a segment by its place among
 * the first transmissions that match all other clauses: alone it picks that first transmission, with `copies` the named
 * transmissions of it. `atMost` ends the match after so many segments.
 */
export interface Match {
  readonly role?: RoleWord;
  /** The side it comes from. */
  readonly sender?: Side;
  /** Connections of the wire, numbered from 1 in the order of their first segment. */
  readonly flow?: Numbers;
  readonly flags?: FlagsMatch;
  /** The place among the first transmissions that match all else, counted from 1. */
  readonly nth?: Numbers;
  /** Which transmissions: 1 for the original, 2 for the first retransmission. */
  readonly copies?: Numbers | 'every';
  /** Only so many of the first segments that match everything else. */
  readonly atMost?: number;
  /** SEG.SEQ relative to the sender's ISS (the first octet of data is 1). */
  readonly relSeq?: Numbers;
  /** SEG.ACK relative to the other side's ISS. */
  readonly relAck?: Numbers;
  /** A sequence number relative to the sender's ISS that lies in the segment. */
  readonly covers?: number;
  /** SEG.WND in octets, scaled as negotiated. */
  readonly window?: Numbers;
  readonly options?: OptionsMatch;
  readonly payload?: PayloadMatch;
  readonly since?: SinceMatch;
  /** It acknowledges, whole, an earlier segment of the other side that matches this. */
  readonly acknowledges?: Match;
  readonly allOf?: readonly Match[];
  readonly anyOf?: readonly Match[];
  readonly not?: Match;
}
