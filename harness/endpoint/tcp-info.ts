/**
 * TCP_INFO, decoded completely: `struct tcp_info` of include/uapi/linux/tcp.h up to Linux 7.0, the same from getsockopt(2)
 * and from sock_diag's INET_DIAG_INFO. Kernels append fields; what an older one does not have is undefined.
 */
import type { TcpState } from './tcp-state.js';
import { tcpStateFromLinux } from './tcp-state.js';

export const CONGESTION_STATES = ['open', 'disorder', 'cwr', 'recovery', 'loss'] as const;
export const FASTOPEN_FAILURES = [
  'none',
  'cookie-unavailable',
  'data-not-acked',
  'syn-retransmitted',
] as const;
const ECN_MODES = ['disabled', 'rfc3168', 'accecn', 'pending'] as const;

export type CongestionState = (typeof CONGESTION_STATES)[number] | 'unknown';

export interface TcpInfoOptions {
  readonly timestamps: boolean;
  readonly sack: boolean;
  readonly windowScale: boolean;
  readonly ecn: boolean;
  /** At least one packet with ECT has come. */
  readonly ecnSeen: boolean;
  /** The SYN,ACK acknowledged data in the SYN (TCP Fast Open). */
  readonly synData: boolean;
  /** Timestamps in microseconds (Linux 6.8). */
  readonly usecTimestamps: boolean;
  /** Made by a passive Fast Open (Linux 6.14). */
  readonly fastOpenChild: boolean;
}

/** Counts are of segments unless the name has a unit. A listener has its accept queue in `unacked`, the backlog in `sacked`. */
export interface TcpInfo {
  readonly state: TcpState;
  readonly caState: CongestionState;
  /** Retransmission time-outs of the segment that is waiting for its ACK. */
  readonly retransmits: number;
  /** Unanswered window probes or keep-alives. */
  readonly probes: number;
  readonly backoff: number;
  readonly options: TcpInfoOptions;
  readonly sndWscale: number;
  readonly rcvWscale: number;
  readonly deliveryRateAppLimited: boolean;
  readonly fastopenClientFail: (typeof FASTOPEN_FAILURES)[number];
  readonly rtoUs: number;
  readonly atoUs: number;
  readonly sndMssOctets: number;
  readonly rcvMssOctets: number;
  readonly unacked: number;
  readonly sacked: number;
  readonly lost: number;
  readonly retrans: number;
  readonly fackets: number;
  readonly lastDataSentMs: number;
  /** Linux does not remember it: 0. */
  readonly lastAckSentMs: number;
  readonly lastDataRecvMs: number;
  readonly lastAckRecvMs: number;
  readonly pmtuOctets: number;
  readonly rcvSsthreshOctets: number;
  readonly rttUs: number;
  readonly rttvarUs: number;
  /** 2^31 - 1 while no loss has set it. */
  readonly sndSsthresh: number;
  readonly sndCwnd: number;
  readonly advmssOctets: number;
  readonly reordering: number;
  readonly rcvRttUs: number;
  readonly rcvSpaceOctets: number;
  readonly totalRetrans: number;
  /** Undefined without a limit, as are all fields from here on where the kernel is older. */
  readonly pacingRateOctetsPerSecond: number | undefined;
  readonly maxPacingRateOctetsPerSecond: number | undefined;
  readonly bytesAcked: number | undefined;
  readonly bytesReceived: number | undefined;
  readonly segsOut: number | undefined;
  readonly segsIn: number | undefined;
  readonly notsentBytes: number | undefined;
  /** Undefined also before the first sample. */
  readonly minRttUs: number | undefined;
  readonly dataSegsIn: number | undefined;
  readonly dataSegsOut: number | undefined;
  readonly deliveryRateOctetsPerSecond: number | undefined;
  readonly busyTimeUs: number | undefined;
  readonly rwndLimitedUs: number | undefined;
  readonly sndbufLimitedUs: number | undefined;
  readonly delivered: number | undefined;
  readonly deliveredCe: number | undefined;
  readonly bytesSent: number | undefined;
  readonly bytesRetrans: number | undefined;
  readonly dsackDups: number | undefined;
  readonly reordSeen: number | undefined;
  readonly rcvOoopack: number | undefined;
  /** The window that the other side offers, scaled. */
  readonly sndWndOctets: number | undefined;
  readonly rcvWndOctets: number | undefined;
  readonly rehash: number | undefined;
  /** Retransmission time-outs, how many of them the connection recovered from, and the time in recovery. */
  readonly totalRto: number | undefined;
  readonly totalRtoRecoveries: number | undefined;
  readonly totalRtoTimeMs: number | undefined;
  readonly receivedCe: number | undefined;
  readonly deliveredE1Bytes: number | undefined;
  readonly deliveredE0Bytes: number | undefined;
  readonly deliveredCeBytes: number | undefined;
  readonly receivedE1Bytes: number | undefined;
  readonly receivedE0Bytes: number | undefined;
  readonly receivedCeBytes: number | undefined;
  readonly accecnFailMode: number | undefined;
  readonly accecnOptSeen: number | undefined;
  readonly ecnMode: (typeof ECN_MODES)[number] | undefined;
  readonly options2: number | undefined;
}

/** All that Linux 2.6.32 and later have in common: up to tcpi_total_retrans. */
const LEAST_OCTETS = 104;
export const NO_LIMIT = 0xffff_ffff_ffff_ffffn;
export const NO_SAMPLE = 0xffff_ffff;

/** `release` is the kernel's (`uname -r`): Linux 7.0 packed two of the last fields differently. */
export function decodeTcpInfo(bytes: Uint8Array, release = '6.18'): TcpInfo {
  if (bytes.length < LEAST_OCTETS) {
    throw new RangeError(
      `TCP_INFO has ${bytes.length} octets, and Linux never gives fewer than ${LEAST_OCTETS}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { ...decodeHead(view), ...decodeBase(view), ...decodeTail(view), ...decodeAccEcn(view, release) };
}

function decodeHead(view: DataView) {
  const options = view.getUint8(5);
  const scales = view.getUint8(6);
  const bits = view.getUint8(7);
  return {
    state: tcpStateFromLinux(view.getUint8(0)),
    caState: CONGESTION_STATES[view.getUint8(1)] ?? ('unknown' as const),
    retransmits: view.getUint8(2),
    probes: view.getUint8(3),
    backoff: view.getUint8(4),
    options: {
      timestamps: (options & 1) !== 0,
      sack: (options & 2) !== 0,
      windowScale: (options & 4) !== 0,
      ecn: (options & 8) !== 0,
      ecnSeen: (options & 16) !== 0,
      synData: (options & 32) !== 0,
      usecTimestamps: (options & 64) !== 0,
      fastOpenChild: (options & 128) !== 0,
    },
    sndWscale: scales & 0xf,
    rcvWscale: scales >> 4,
    deliveryRateAppLimited: (bits & 1) !== 0,
    fastopenClientFail: FASTOPEN_FAILURES[(bits >> 1) & 3] ?? ('none' as const),
  };
}

function decodeBase(view: DataView) {
  const u32 = (at: number) => view.getUint32(at, true);
  return {
    rtoUs: u32(8),
    atoUs: u32(12),
    sndMssOctets: u32(16),
    rcvMssOctets: u32(20),
    unacked: u32(24),
    sacked: u32(28),
    lost: u32(32),
    retrans: u32(36),
    fackets: u32(40),
    lastDataSentMs: u32(44),
    lastAckSentMs: u32(48),
    lastDataRecvMs: u32(52),
    lastAckRecvMs: u32(56),
    pmtuOctets: u32(60),
    rcvSsthreshOctets: u32(64),
    rttUs: u32(68),
    rttvarUs: u32(72),
    sndSsthresh: u32(76),
    sndCwnd: u32(80),
    advmssOctets: u32(84),
    reordering: u32(88),
    rcvRttUs: u32(92),
    rcvSpaceOctets: u32(96),
    totalRetrans: u32(100),
  };
}

/** A reader that says undefined behind the end. 64-bit counters are exact up to 2^53. */
function reader(view: DataView) {
  const within = (at: number, octets: number) => at + octets <= view.byteLength;
  const u64 = (at: number) => (within(at, 8) ? view.getBigUint64(at, true) : undefined);
  return {
    u16: (at: number) => (within(at, 2) ? view.getUint16(at, true) : undefined),
    u32: (at: number) => (within(at, 4) ? view.getUint32(at, true) : undefined),
    u64: (at: number) => {
      const value = u64(at);
      return value === undefined ? undefined : Number(value);
    },
    rate: (at: number) => {
      const value = u64(at);
      return value === undefined || value === NO_LIMIT ? undefined : Number(value);
    },
  };
}

function decodeTail(view: DataView) {
  const { u16, u32, u64, rate } = reader(view);
  const minRttUs = u32(148);
  return {
    pacingRateOctetsPerSecond: rate(104),
    maxPacingRateOctetsPerSecond: rate(112),
    bytesAcked: u64(120),
    bytesReceived: u64(128),
    segsOut: u32(136),
    segsIn: u32(140),
    notsentBytes: u32(144),
    minRttUs: minRttUs === NO_SAMPLE ? undefined : minRttUs,
    dataSegsIn: u32(152),
    dataSegsOut: u32(156),
    deliveryRateOctetsPerSecond: u64(160),
    busyTimeUs: u64(168),
    rwndLimitedUs: u64(176),
    sndbufLimitedUs: u64(184),
    delivered: u32(192),
    deliveredCe: u32(196),
    bytesSent: u64(200),
    bytesRetrans: u64(208),
    dsackDups: u32(216),
    reordSeen: u32(220),
    rcvOoopack: u32(224),
    sndWndOctets: u32(228),
    rcvWndOctets: u32(232),
    rehash: u32(236),
    totalRto: u16(240),
    totalRtoRecoveries: u16(242),
    totalRtoTimeMs: u32(244),
  };
}

/** Linux 6.18; 7.0 made the last four octets a bit field (commit 4fa4ac5e5848). */
function decodeAccEcn(view: DataView, release: string) {
  const { u16, u32 } = reader(view);
  const bits = u32(276);
  const packed = Number.parseInt(release, 10) >= 7 && bits !== undefined;
  return {
    receivedCe: u32(248),
    deliveredE1Bytes: u32(252),
    deliveredE0Bytes: u32(256),
    deliveredCeBytes: u32(260),
    receivedE1Bytes: u32(264),
    receivedE0Bytes: u32(268),
    receivedCeBytes: u32(272),
    accecnFailMode: packed ? (bits >> 4) & 0xf : u16(276),
    accecnOptSeen: packed ? (bits >> 2) & 3 : u16(278),
    ecnMode: packed ? ECN_MODES[bits & 3] : undefined,
    options2: packed ? bits >>> 8 : undefined,
  };
}
