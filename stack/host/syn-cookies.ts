/**
 * SYN cookies (RFC 4987 section 3.6): a listener that is flooded remembers nothing of a SYN, and finds in the ACK of its SYN,ACK what it
 * would have remembered. The cookie is the ISN: five bits of time, three of MSS, 24 of a keyed hash. What else was agreed on travels in
 * the low bits of the timestamp, where there are timestamps.
 */
import { type SeqNumber, seqNumber } from '../../harness/segment/index.js';
import type { Nanos, SocketAddress } from '../tcp/index.js';
import type { KeyedHash } from './keyed-hash.js';

/** The cookie's time counts in these; one of the time before is good too. */
const PERIOD_NS = 64e9;
const MSS_TABLE = [536, 1220, 1300, 1400, 1440, 1452, 1460, 8940] as const;
const NO_SCALE = 15;
/** Four bits of window scale and one of SACK. */
export const OPTION_BITS = 5;

export interface CookieOptions {
  readonly mss: number;
  readonly windowShift: number | undefined;
  readonly sackPermitted: boolean;
}

export interface Ends {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export function makeCookie(
  secret: KeyedHash,
  { local, remote }: Ends,
  syn: { readonly seq: SeqNumber; readonly mss: number; readonly nowNs: Nanos },
): SeqNumber {
  const period = Math.floor(syn.nowNs / PERIOD_NS);
  const index = mssIndex(syn.mss);
  const tag = secret.ofPair('cookie', local, remote, syn.seq, period, index) >>> 8;
  return seqNumber((period % 32) * 2 ** 27 + index * 2 ** 24 + tag);
}

const mssIndex = (mss: number): number =>
  Math.max(
    MSS_TABLE.findLastIndex((each) => each <= mss),
    0,
  );

/** The MSS that the cookie holds; undefined when it is none of ours, or too old. */
export function readCookie(
  secret: KeyedHash,
  { local, remote }: Ends,
  ack: { readonly cookie: SeqNumber; readonly synSeq: SeqNumber; readonly nowNs: Nanos },
): number | undefined {
  const now = Math.floor(ack.nowNs / PERIOD_NS);
  const told = ack.cookie >>> 27;
  const index = (ack.cookie >>> 24) & 7;
  const period = [now, now - 1].find((each) => each >= 0 && each % 32 === told);
  if (period === undefined) return undefined;
  const tag = secret.ofPair('cookie', local, remote, ack.synSeq, period, index) >>> 8;
  return tag === (ack.cookie & 0xffffff) ? MSS_TABLE[index] : undefined;
}

export const optionBits = ({ windowShift = NO_SCALE, sackPermitted }: Omit<CookieOptions, 'mss'>): number =>
  Math.min(windowShift, NO_SCALE) | (sackPermitted ? 1 << 4 : 0);

export const readOptionBits = (bits: number): Omit<CookieOptions, 'mss'> => ({
  windowShift: (bits & 15) === NO_SCALE ? undefined : bits & 15,
  sackPermitted: (bits & (1 << 4)) !== 0,
});
