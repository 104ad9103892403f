/** TCP_INFO as octets: `struct tcp_info` of include/uapi/linux/tcp.h, for those who get it from a stack that is no Linux. Pure. */
import { CONGESTION_STATES, FASTOPEN_FAILURES, NO_LIMIT, NO_SAMPLE, type TcpInfo } from './tcp-info.js';
import { linuxNumberOf } from './tcp-state.js';

/** Up to tcpi_min_rtt: of what Linux put behind it no other stack has all, and half of a struct cannot be left out. */
const OCTETS = 152;

export function encodeTcpInfo(info: TcpInfo): Uint8Array {
  const view = new DataView(new ArrayBuffer(OCTETS));
  encodeHead(view, info);
  encodeBase(view, info);
  encodeTail(view, info);
  return new Uint8Array(view.buffer);
}

function encodeHead(view: DataView, info: TcpInfo): void {
  const { options } = info;
  const flags = [
    options.timestamps,
    options.sack,
    options.windowScale,
    options.ecn,
    options.ecnSeen,
    options.synData,
    options.usecTimestamps,
    options.fastOpenChild,
  ];
  const { caState } = info;
  const octets = [
    linuxNumberOf(info.state),
    caState === 'unknown' ? CONGESTION_STATES.length : CONGESTION_STATES.indexOf(caState),
    info.retransmits,
    info.probes,
    info.backoff,
    flags.reduce((bits, isSet, at) => bits | (isSet ? 1 << at : 0), 0),
    info.sndWscale | (info.rcvWscale << 4),
    (info.deliveryRateAppLimited ? 1 : 0) | (FASTOPEN_FAILURES.indexOf(info.fastopenClientFail) << 1),
  ];
  for (const [at, octet] of octets.entries()) view.setUint8(at, Math.min(octet, 255));
}

function encodeBase(view: DataView, info: TcpInfo): void {
  const numbers = [
    info.rtoUs,
    info.atoUs,
    info.sndMssOctets,
    info.rcvMssOctets,
    info.unacked,
    info.sacked,
    info.lost,
    info.retrans,
    info.fackets,
    info.lastDataSentMs,
    info.lastAckSentMs,
    info.lastDataRecvMs,
    info.lastAckRecvMs,
    info.pmtuOctets,
    info.rcvSsthreshOctets,
    info.rttUs,
    info.rttvarUs,
    info.sndSsthresh,
    info.sndCwnd,
    info.advmssOctets,
    info.reordering,
    info.rcvRttUs,
    info.rcvSpaceOctets,
    info.totalRetrans,
  ];
  for (const [at, number] of numbers.entries()) view.setUint32(8 + 4 * at, limited(number), true);
}

function encodeTail(view: DataView, info: TcpInfo): void {
  const wide = [
    asRate(info.pacingRateOctetsPerSecond),
    asRate(info.maxPacingRateOctetsPerSecond),
    BigInt(info.bytesAcked ?? 0),
    BigInt(info.bytesReceived ?? 0),
  ];
  for (const [at, number] of wide.entries()) view.setBigUint64(104 + 8 * at, number, true);
  const numbers = [info.segsOut ?? 0, info.segsIn ?? 0, info.notsentBytes ?? 0, info.minRttUs ?? NO_SAMPLE];
  for (const [at, number] of numbers.entries()) view.setUint32(136 + 4 * at, limited(number), true);
}

const asRate = (rate: number | undefined): bigint => (rate === undefined ? NO_LIMIT : BigInt(rate));

/** What does not fit is as much as fits. */
const limited = (number: number): number => Math.min(Math.max(number, 0), 0xffff_ffff);
