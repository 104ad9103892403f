/** What a script says of a segment it sends; all that it leaves out gets a sensible default. */
import type { Flags, Ipv4Header, Ipv6Header, TcpOption } from '../../segment/index.js';
import { seqNumber } from '../../segment/index.js';
import type { SeqRef } from './sequence-points.js';

export interface OutgoingSegment {
  /** `SYN,ACK` or a number. PSH,ACK with data, else ACK, when absent. */
  readonly flags?: Flags | string;
  /** `sndNxt` when absent; the peer's `iss` for its first SYN. */
  readonly seq?: SeqRef;
  /** `rcvNxt` when absent and the ACK bit is set. */
  readonly ack?: SeqRef;
  /** SEG.WND as carried; the peer's own window when absent. */
  readonly window?: number;
  readonly urgentPointer?: number;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly payload?: Uint8Array | string;
  /** By name: timestamps are added where they were negotiated. A list or octets: exactly these. */
  readonly options?: OutgoingOptions | readonly TcpOption[] | Uint8Array;
  readonly ip?: Partial<Ipv4Header> | Partial<Ipv6Header>;
  /** The right one when absent. */
  readonly checksum?: number | 'wrong';
}

export interface OutgoingOptions {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  /** `true`: the peer's clock and what the other side sent last; `false`: none, even where they were negotiated. */
  readonly timestamps?: boolean | { readonly tsVal?: number; readonly tsEcr?: number };
  /** Blocks of the other side's octets: `[['irs+1461', 'irs+2921']]`. */
  readonly sack?: readonly (readonly [left: SeqRef, right: SeqRef])[];
  /** A Fast Open cookie, empty to ask for one. */
  readonly fastOpen?: Uint8Array;
}

const NOP: TcpOption = { kind: 'nop' };

/** The options in the usual order, each four octets aligned as RFC 7323 appendix A lays them out. */
export function optionList(
  options: OutgoingOptions,
  fill: {
    readonly timestamps: { readonly tsVal: number; readonly tsEcr: number };
    readonly resolve: (reference: SeqRef) => number;
  },
): TcpOption[] {
  const { mss, windowScale, sackPermitted, timestamps, sack, fastOpen } = options;
  const list: TcpOption[] = [];
  if (mss !== undefined) list.push({ kind: 'mss', mss });
  if (windowScale !== undefined) list.push(NOP, { kind: 'windowScale', shift: windowScale });
  if (sackPermitted === true) list.push(NOP, NOP, { kind: 'sackPermitted' });
  if (timestamps !== undefined && timestamps !== false) {
    list.push(NOP, NOP, {
      kind: 'timestamps',
      ...fill.timestamps,
      ...(timestamps === true ? {} : timestamps),
    });
  }
  if (sack !== undefined) {
    const blocks = sack.map(([left, right]) => ({
      left: seqNumber(fill.resolve(left)),
      right: seqNumber(fill.resolve(right)),
    }));
    list.push(NOP, NOP, { kind: 'sack', blocks });
  }
  if (fastOpen !== undefined) list.push({ kind: 'fastOpen', cookie: fastOpen });
  return list;
}
