/** OPEN (RFC 9293 section 3.10.1), active and passive, and what the options of both SYNs agree on. */
import { FLAG, type Segment, type SeqNumber, seqAdd } from '../../harness/segment/index.js';
import { initialCongestion } from './congestion/congestion-control.js';
import { noRate } from './congestion/proportional-rate.js';
import { type ControlBlock, emptyRing, emptySent, noTimers, type SocketAddress } from './control-block.js';
import { emitSyn } from './emit.js';
import { ipHeaders } from './ip-headers.js';
import { readSynOptions, type SynOptions } from './options.js';
import { beginMtuSearch, leastMtu } from './path-mtu.js';
import { noRack } from './rack.js';
import { takeText } from './receive-text.js';
import { scaleFor } from './receive-window.js';
import { initialRoundTrip, synWasRepeated } from './round-trip.js';
import type { TcpSettings } from './settings.js';
import { effectiveMss, TCP_HEADER_OCTETS } from './sizes.js';
import { enter, type Step } from './step.js';
import { type Nanos, NEVER } from './time.js';
import { armRetransmit, watchPatience } from './timers.js';

export interface OpenOptions {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly ipVersion: 4 | 6;
  readonly settings: TcpSettings;
  /** RFC 6528: hard to guess. */
  readonly iss: SeqNumber;
  /** Where this connection's timestamps begin (RFC 7323 section 7.1). */
  readonly tsOffset: number;
  /** Of the link, in octets of IP packet. */
  readonly linkMtu: number;
  /** What is known of the path; default: the link's. */
  readonly pathMtu?: number;
  /** The largest packet that may hold several segments, to be cut where they leave; absent: none may. */
  readonly offloadOctets?: number;
  /** 20 bits, for IPv6. */
  readonly flowLabel?: number;
  /** The Fast Open cookie to send, empty to ask for one; absent: no Fast Open (RFC 7413). */
  readonly fastOpenCookie?: Uint8Array;
}

/** RFC 9293 MUST-15: when no MSS option came. */
const DEFAULT_MSS = { 4: 536, 6: 1220 } as const;
const IP_HEADER_OCTETS = { 4: 20, 6: 40 } as const;
const MOST_TCP_HEADER_OCTETS = 60;

export function newBlock(options: OpenOptions, isActive: boolean, nowNs: Nanos): ControlBlock {
  const { settings, ipVersion, iss, linkMtu, pathMtu = linkMtu } = options;
  const ipHeaderOctets = IP_HEADER_OCTETS[ipVersion];
  const most = linkMtu - ipHeaderOctets - TCP_HEADER_OCTETS;
  const ownMss = settings.maxSegmentOctets > 0 ? Math.min(settings.maxSegmentOctets, most) : most;
  return {
    local: options.local,
    remote: options.remote,
    settings,
    state: isActive ? 'CLOSED' : 'LISTEN',
    isActive,
    isHeld: true,
    isClosing: false,
    ...sendSide(iss),
    ...receiveSide(),
    peerMss: DEFAULT_MSS[ipVersion],
    ownMss,
    linkMtu,
    pathMtu: Math.min(pathMtu, linkMtu, mostUndiscovered(options)),
    pmtu: { low: 0, high: 0 },
    allowsFragments: false,
    bundleOctets: Math.max((options.offloadOctets ?? 0) - ipHeaderOctets - MOST_TCP_HEADER_OCTETS, 0),
    ipHeaderOctets,
    ...ipHeaders(options),
    sndWndShift: 0,
    rcvWndShift: 0,
    hasWindowScale: false,
    hasTimestamps: false,
    hasSack: false,
    hasEcn: false,
    tsOffset: options.tsOffset,
    tsRecent: 0,
    tsRecentNs: nowNs,
    fastOpenCookie: options.fastOpenCookie,
    isFastOpened: false,
    peerUserTimeoutMs: 0,
    owesUserTimeout: settings.userTimeoutMs > 0,
    echoesCongestion: false,
    owesCwr: false,
    cwrPoint: iss,
    timers: noTimers(),
    rtt: initialRoundTrip(settings),
    congestion: initialCongestion(settings.initialWindowSegments, DEFAULT_MSS[ipVersion]),
    recovery: {
      kind: 'none',
      point: iss,
      duplicateAcks: 0,
      inflation: 0,
      owesRepeat: false,
      rate: noRate(),
      marked: 0,
    },
    rack: noRack(iss),
    tail: { isUnderway: false, isRetransmission: false, endSeq: iss },
    retries: 0,
    troubleSinceNs: NEVER,
    keepAlives: 0,
    lastReceivedNs: nowNs,
    lastSentNs: nowNs,
    softError: undefined,
    counts: noCounts(),
  };
}

/** RFC 8200 section 5: who does not look for the path's MTU sends no more than every path takes, for no router will cut it up. */
const mostUndiscovered = ({ ipVersion, settings }: OpenOptions): number =>
  ipVersion === 6 && settings.pathMtuDiscovery === 'off' ? 1280 : Number.POSITIVE_INFINITY;

const sendSide = (iss: SeqNumber) => ({
  iss,
  sndUna: iss,
  sndNxt: iss,
  sndWnd: 0,
  sndUp: iss,
  isUrgent: false,
  sndWl1: ZERO,
  sndWl2: iss,
  maxSndWnd: 0,
  sendRing: emptyRing(),
  sendBase: seqAdd(iss, 1),
  sendOctets: 0,
  hasMore: false,
  sent: emptySent(),
});

const ZERO = 0 as SeqNumber;

const receiveSide = () => ({
  irs: ZERO,
  rcvNxt: ZERO,
  rcvEdge: ZERO,
  rcvUp: ZERO,
  isUrgentReceived: false,
  receiveRing: emptyRing(),
  receiveOctets: 0,
  early: [],
  earlyFin: undefined,
  recentBlocks: [],
  dsack: undefined,
  ackOwed: 'none' as const,
  unacknowledgedOctets: 0,
  rcvMss: 536,
  lastAckSent: ZERO,
  challengeAcks: 0,
  challengeRoundNs: 0,
});

const noCounts = () => ({
  segmentsIn: 0,
  segmentsOut: 0,
  octetsSent: 0,
  octetsAcknowledged: 0,
  octetsReceived: 0,
  retransmissions: 0,
  octetsRetransmitted: 0,
  timeouts: 0,
  duplicates: 0,
});

/** Active OPEN: <SEQ=ISS><CTL=SYN>, and SYN-SENT. What was given to SEND already may travel on it where there is a Fast Open cookie. */
export function openActive(block: ControlBlock, step: Step): void {
  enter(block, step, 'SYN-SENT');
  pushSyn(block, step);
  const octets = synDataOctets(block);
  const payload = octets > 0 ? block.sendRing.read(0, octets) : undefined;
  emitSyn(block, step, payload);
  if (octets > 0) {
    block.sent.push({
      seq: block.sndNxt,
      length: octets,
      isSyn: false,
      isFin: false,
      isPushed: true,
      sentNs: step.nowNs,
      order: block.counts.segmentsOut,
      transmissions: 1,
      isSacked: false,
      isLost: false,
      mtuProbe: 0,
    });
    block.sndNxt = seqAdd(block.sndNxt, octets);
  }
  armRetransmit(block, step.nowNs);
  watchPatience(block, step.nowNs);
}

/** RFC 7413 section 4.2.1: only with a cookie, and not more than the default MSS leaves room for. */
function synDataOctets(block: ControlBlock): number {
  if ((block.fastOpenCookie?.length ?? 0) === 0) return 0;
  const room = leastMtu(block) - block.ipHeaderOctets - TCP_HEADER_OCTETS - 40;
  return Math.min(block.sendOctets, room);
}

function pushSyn(block: ControlBlock, step: Step): void {
  block.sent.push({
    seq: block.iss,
    length: 1,
    isSyn: true,
    isFin: false,
    isPushed: false,
    sentNs: step.nowNs,
    order: block.counts.segmentsOut,
    transmissions: 1,
    isSacked: false,
    isLost: false,
    mtuProbe: 0,
  });
  block.sndNxt = seqAdd(block.iss, 1);
}

/** Third step of LISTEN (section 3.10.7.2): a SYN came. <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, and SYN-RECEIVED. */
export function openPassive(block: ControlBlock, step: Step, segment: Segment, takesData = false): void {
  takeSyn(block, step, segment);
  enter(block, step, 'SYN-RECEIVED');
  // "Any other incoming control or data (combined with SYN) will be processed in the SYN-RECEIVED state": with Fast Open, now.
  if (takesData) {
    block.isFastOpened = true;
    takeText(block, step, { ...segment, seq: block.rcvNxt });
  }
  pushSyn(block, step);
  emitSyn(block, step);
  armRetransmit(block, step.nowNs);
  watchPatience(block, step.nowNs);
}

/** RCV.NXT is set to SEG.SEQ+1, IRS to SEG.SEQ, and the options say what will be in force. */
export function takeSyn(block: ControlBlock, step: Step, segment: Segment): void {
  const options = readSynOptions(segment);
  block.irs = segment.seq;
  block.rcvNxt = seqAdd(segment.seq, 1);
  block.rcvEdge = seqAdd(block.rcvNxt, Math.min(block.settings.receiveBufferOctets, 0xffff));
  block.rcvUp = block.rcvNxt;
  block.lastAckSent = block.rcvNxt;
  // The window of a SYN is never scaled (RFC 7323 section 2.2).
  block.sndWnd = segment.window;
  block.maxSndWnd = segment.window;
  block.sndWl1 = segment.seq;
  block.sndWl2 = segment.ack;
  agree(block, step, options, (segment.flags & FLAG.ACK) !== 0);
}

function agree(block: ControlBlock, step: Step, options: SynOptions, isSynAck: boolean): void {
  const { settings } = block;
  // RFC 9293 section 3.7.1; an MSS that leaves no room is no MSS.
  if (options.mss !== undefined && options.mss > 0) block.peerMss = Math.max(options.mss, 48);
  block.hasSack = settings.sack && options.sackPermitted;
  block.hasWindowScale = settings.windowScale && options.windowShift !== undefined;
  block.sndWndShift = block.hasWindowScale ? (options.windowShift ?? 0) : 0;
  block.rcvWndShift = block.hasWindowScale ? scaleFor(settings.receiveBufferOctets) : 0;
  block.hasTimestamps = settings.timestamps && options.timestamps !== undefined;
  if (options.timestamps !== undefined) {
    block.tsRecent = options.timestamps.tsVal;
    block.tsRecentNs = step.nowNs;
  }
  // RFC 3168 section 6.1.1: not by who has sent a SYN that did not ask.
  const hasAsked = settings.ecn === 'ask' && block.counts.timeouts === 0;
  block.hasEcn = options.ecn && (isSynAck ? hasAsked : settings.ecn !== 'off');
  if (settings.userTimeoutOption && (options.userTimeoutMs ?? 0) > 0)
    block.peerUserTimeoutMs = options.userTimeoutMs ?? 0;
  block.rcvMss = Math.min(block.ownMss, 536);
}

/** Both SYNs are acknowledged: ESTABLISHED. */
export function established(block: ControlBlock, step: Step): void {
  enter(block, step, 'ESTABLISHED');
  block.fastOpenCookie = undefined;
  begin(block);
  if (block.counts.timeouts > 0) synWasRepeated(block);
  step.notices.push({ kind: 'established' });
}

/** What is chosen when the segment size is known. RFC 5681 section 3.1: who lost a SYN begins with one segment. */
export function begin(block: ControlBlock): void {
  const segments = block.counts.timeouts > 0 ? 1 : block.settings.initialWindowSegments;
  block.congestion = initialCongestion(segments, effectiveMss(block));
  // A SYN that was lost says nothing of the data behind it.
  block.recovery.point = block.iss;
  beginMtuSearch(block);
}
