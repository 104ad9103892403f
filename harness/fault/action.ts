/** What a fault does to the segments it picks: plain data. `FaultEngine` says how several faults on one segment add up. */
import type { FlagName, OptionKind, TcpOption } from '../segment/index.js';
import type { Side } from './flow.js';
import type { Match } from './match.js';

/**
 * A sequence number: as it stands, or from a base with an offset (`iss+1`, `next-100`, `same`). `iss` is the initial
 * sequence number of the side that the number belongs to; `next` what that side sends next, as the matched segment shows
 * it; `same` the number that the segment has already.
 */
export type SeqPoint = number | SeqBase | `${SeqBase}+${number}` | `${SeqBase}-${number}`;
export type SeqBase = 'iss' | 'next' | 'same';

/** Fields to change. Checksums are computed anew. */
export interface SegmentChange {
  readonly seq?: SeqPoint;
  readonly ack?: SeqPoint;
  /** Exactly these flags. */
  readonly flags?: readonly FlagName[];
  /** SEG.WND as carried, unscaled. */
  readonly window?: number;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly ttl?: number;
  readonly urgentPointer?: number;
  /** The data, as text (UTF-8). */
  readonly payload?: string;
  /** The data, as hexadecimal digits. */
  readonly payloadHex?: string;
  /** Each replaces the option of its kind, or is added. */
  readonly setOptions?: readonly OptionSetting[];
  readonly removeOptions?: readonly OptionKind[];
}

/** The options that can be written into a segment from plain data. */
export type OptionSetting = Extract<
  TcpOption,
  { readonly kind: 'mss' | 'windowScale' | 'sackPermitted' | 'timestamps' }
>;

export type Action =
  | { readonly kind: 'drop' }
  | { readonly kind: 'delay'; readonly byMs: number }
  /** Keeps it until `FaultEngine.release`, or until a later segment matches `until`; from then on it holds nothing more. */
  | { readonly kind: 'hold'; readonly until?: Match }
  /** So many more of it (default 1), `afterMs` behind it (default 0). */
  | { readonly kind: 'duplicate'; readonly copies?: number; readonly afterMs?: number }
  /** Keeps it back until so many others of the same side have gone by. */
  | { readonly kind: 'reorder'; readonly after: number }
  | { readonly kind: 'rewrite'; readonly set: SegmentChange }
  | { readonly kind: 'corrupt-checksum' }
  /** Cuts the data down to so many octets; lengths and checksums are made to fit. */
  | { readonly kind: 'truncate'; readonly toOctets: number }
  /**
   * Sends a segment that nobody sent, `afterMs` behind the matched one, as if from `sender` (default: the side that the
   * matched one is from). Absent fields: seq and ack `next`, flags ACK, window as in the matched segment, no options, no data.
   */
  | {
      readonly kind: 'inject';
      readonly sender?: Side;
      readonly segment: SegmentChange;
      readonly afterMs?: number;
    }
  /** Sends the latest earlier segment that matches `of` once more, `afterMs` behind the matched one: an old duplicate. */
  | { readonly kind: 'replay'; readonly of: Match; readonly afterMs?: number };

export type ActionKind = Action['kind'];
