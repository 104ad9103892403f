/** TCP_INFO of the project's own TCP: what a control block says, under the names that Linux gave it. */
import { isIPv6 } from 'node:net';
import {
  currentRtoNs,
  effectiveMss,
  NANOS_PER_MS,
  newBlock,
  rcvWnd,
  type TcpSettings,
  type TcpSocket,
} from '../../../stack/index.js';
import { seqNumber } from '../../segment/index.js';
import type { Address } from '../endpoint.js';
import type { CongestionState, TcpInfo } from '../tcp-info.js';

const NANOS_PER_US = 1000;
/** What Linux says while no loss has set it. */
const NO_THRESHOLD = 2 ** 31 - 1;

type Block = TcpSocket['block'];

export function infoOf(block: Block, nowNs: number): TcpInfo {
  return {
    ...headOf(block),
    ...sentOf(block),
    ...timesOf(block, nowNs),
    ...sizesOf(block),
    ...countsOf(block),
    ...UNKNOWN,
  };
}

/** Of a socket that is no connection yet. */
export function freshInfo(local: Address, settings: TcpSettings, nowNs: number): TcpInfo {
  const block = newBlock(
    {
      local,
      remote: local,
      ipVersion: isIPv6(local.ip) ? 6 : 4,
      settings,
      iss: seqNumber(0),
      tsOffset: 0,
      linkMtu: 1500,
    },
    true,
    nowNs,
  );
  return infoOf(block, nowNs);
}

const headOf = (block: Block) => ({
  state: block.state,
  caState: congestionStateOf(block),
  retransmits: block.retries,
  probes: block.keepAlives,
  backoff: block.rtt.backoff,
  options: {
    timestamps: block.hasTimestamps,
    sack: block.hasSack,
    windowScale: block.hasWindowScale,
    ecn: block.hasEcn,
    ecnSeen: block.echoesCongestion,
    synData: block.isActive && block.isFastOpened,
    usecTimestamps: false,
    fastOpenChild: !block.isActive && block.isFastOpened,
  },
  sndWscale: block.sndWndShift,
  rcvWscale: block.rcvWndShift,
  deliveryRateAppLimited: !block.congestion.isLimiting,
  fastopenClientFail: 'none' as const,
});

function congestionStateOf({ recovery }: Block): CongestionState {
  if (recovery.kind === 'fast') return 'recovery';
  if (recovery.kind === 'timeout') return 'loss';
  return recovery.marked > 0 || recovery.duplicateAcks > 0 ? 'disorder' : 'open';
}

function sentOf({ sent, counts }: Block) {
  const found = { unacked: sent.count, sacked: 0, lost: 0, retrans: 0 };
  for (let i = 0; i < sent.count; i += 1) {
    const record = sent.at(i);
    if (record?.isSacked === true) found.sacked += 1;
    else if (record?.isLost === true) found.lost += 1;
    else if ((record?.transmissions ?? 0) > 1) found.retrans += 1;
  }
  return { ...found, fackets: 0, totalRetrans: counts.retransmissions };
}

const timesOf = (block: Block, nowNs: number) => ({
  rtoUs: Math.round(currentRtoNs(block) / NANOS_PER_US),
  atoUs: Math.round((block.settings.ackDelayMs * NANOS_PER_MS) / NANOS_PER_US),
  lastDataSentMs: Math.floor((nowNs - block.lastSentNs) / NANOS_PER_MS),
  lastAckSentMs: 0,
  lastDataRecvMs: Math.floor((nowNs - block.lastReceivedNs) / NANOS_PER_MS),
  lastAckRecvMs: Math.floor((nowNs - block.lastReceivedNs) / NANOS_PER_MS),
  rttUs: Math.round(block.rtt.srttNs / NANOS_PER_US),
  rttvarUs: Math.round(block.rtt.rttvarNs / NANOS_PER_US),
  rcvRttUs: 0,
  minRttUs: Number.isFinite(block.rtt.minNs) ? Math.round(block.rtt.minNs / NANOS_PER_US) : undefined,
});

function sizesOf(block: Block) {
  const mss = effectiveMss(block);
  const { cwnd, ssthresh } = block.congestion;
  return {
    sndMssOctets: mss,
    rcvMssOctets: block.rcvMss,
    pmtuOctets: block.pathMtu,
    rcvSsthreshOctets: block.settings.receiveBufferOctets,
    sndSsthresh: Number.isFinite(ssthresh) ? Math.floor(ssthresh / mss) : NO_THRESHOLD,
    sndCwnd: Math.floor(cwnd / mss),
    // What its MSS option said, less the options that each segment carries.
    advmssOctets: block.ownMss - (block.hasTimestamps ? TIMESTAMP_OCTETS : 0),
    reordering: 3,
    rcvSpaceOctets: block.settings.receiveBufferOctets,
    sndWndOctets: block.sndWnd,
    rcvWndOctets: rcvWnd(block),
    notsentBytes: Math.max(block.sendOctets - Math.max((block.sndNxt - block.sendBase) | 0, 0), 0),
  };
}

/** Timestamps with the two NOPs before them (RFC 7323 appendix A). */
const TIMESTAMP_OCTETS = 12;

const countsOf = ({ counts }: Block) => ({
  bytesAcked: counts.octetsAcknowledged,
  bytesReceived: counts.octetsReceived,
  segsOut: counts.segmentsOut,
  segsIn: counts.segmentsIn,
  bytesSent: counts.octetsSent,
  bytesRetrans: counts.octetsRetransmitted,
  totalRto: counts.timeouts,
});

/** What the stack does not count. */
const UNKNOWN = {
  pacingRateOctetsPerSecond: undefined,
  maxPacingRateOctetsPerSecond: undefined,
  dataSegsIn: undefined,
  dataSegsOut: undefined,
  deliveryRateOctetsPerSecond: undefined,
  busyTimeUs: undefined,
  rwndLimitedUs: undefined,
  sndbufLimitedUs: undefined,
  delivered: undefined,
  deliveredCe: undefined,
  dsackDups: undefined,
  reordSeen: undefined,
  rcvOoopack: undefined,
  rehash: undefined,
  totalRtoRecoveries: undefined,
  totalRtoTimeMs: undefined,
  receivedCe: undefined,
  deliveredE1Bytes: undefined,
  deliveredE0Bytes: undefined,
  deliveredCeBytes: undefined,
  receivedE1Bytes: undefined,
  receivedE0Bytes: undefined,
  receivedCeBytes: undefined,
  accecnFailMode: undefined,
  accecnOptSeen: undefined,
  ecnMode: undefined,
  options2: undefined,
} as const;
