/**
 * The transmission control block of RFC 9293 section 3.3.1: all that the stack remembers of a connection. Plain data under the RFC's
 * names; what the companions add stands beside it, by subject. Times are nanoseconds on the driver's clock.
 */
import { type IpHeader, type SackBlock, type SeqNumber, seqAdd } from '../../harness/segment/index.js';
import type { CongestionState } from './congestion/congestion-state.js';
import type { ProportionalRate } from './congestion/proportional-rate.js';
import type { OctetRing } from './octet-ring.js';
import type { SentList } from './sent-list.js';
import type { TcpSettings } from './settings.js';
import type { TcpState } from './state.js';
import { type Nanos, NEVER } from './time.js';

export interface SocketAddress {
  /** Text, as `harness/segment` writes it. */
  readonly ip: string;
  readonly port: number;
}

/** When each timer runs out; NEVER when it does not run. */
export interface Timers {
  /** RFC 6298: SYN, data or FIN unacknowledged. */
  retransmit: Nanos;
  /** RFC 9293 section 3.8.6.1: the window is shut, or too small. */
  persist: Nanos;
  delayedAck: Nanos;
  keepAlive: Nanos;
  /** 2 MSL, and FIN-WAIT-2 of a connection that nobody reads. */
  linger: Nanos;
  /** RFC 8985 section 6.2 step 5: a segment may turn out to be lost by then. */
  reorder: Nanos;
  /** RFC 8985 section 7. */
  tailLossProbe: Nanos;
  /** The user timeout, counted from the first unanswered segment. */
  userTimeout: Nanos;
  /** RFC 4821 section 5.5: look for a larger path MTU. */
  mtuRaise: Nanos;
}

export type TimerName = keyof Timers;

/** What RFC 6298 keeps. */
export interface RoundTrip {
  /** 0 before the first measurement. */
  srttNs: Nanos;
  rttvarNs: Nanos;
  rtoNs: Nanos;
  minNs: Nanos;
  /** How often the RTO has been doubled since something new was acknowledged. */
  backoff: number;
}

/** Loss recovery: fast recovery (RFC 6675, RFC 6582) or what follows a time-out. */
export interface Recovery {
  kind: 'none' | 'fast' | 'timeout';
  /** It is over when this is acknowledged: RecoveryPoint of RFC 6675, recover of RFC 6582. */
  point: SeqNumber;
  duplicateAcks: number;
  /** Octets that left the network by duplicate ACKs, where there is no SACK (RFC 6582 section 3.2 step 3, RFC 3042). */
  inflation: number;
  /** The first that is taken for lost goes again whatever the window says (RFC 5681 section 3.2 step 3, RFC 6582, RFC 6675 step 4.3). */
  owesRepeat: boolean;
  rate: ProportionalRate;
  /** Records of `sent` that are selectively acknowledged or taken for lost. */
  marked: number;
}

/** RFC 8985 section 5.2. */
export interface Rack {
  sentNs: Nanos;
  endSeq: SeqNumber;
  /** Tells apart what left at the same time. */
  order: number;
  rttNs: Nanos;
  hasSeenReordering: boolean;
  /** The furthest that was ever delivered, to notice reordering by (RACK.fack). */
  fack: SeqNumber;
  reoWndMult: number;
  reoWndPersist: number;
  dsackRound: SeqNumber;
  hasDsackRound: boolean;
}

/** RFC 8985 section 7: the probe that is under way. */
export interface TailProbe {
  isUnderway: boolean;
  isRetransmission: boolean;
  endSeq: SeqNumber;
}

export interface ControlBlock {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  settings: TcpSettings;
  state: TcpState;
  /** Opened by OPEN, and not by a SYN to a listener. */
  readonly isActive: boolean;
  /** The program still holds the connection. */
  isHeld: boolean;
  /** CLOSE was called: a FIN follows what is queued. */
  isClosing: boolean;

  // Send Sequence Variables
  sndUna: SeqNumber;
  sndNxt: SeqNumber;
  sndWnd: number;
  /** Where urgent data ends: the number behind its last octet (RFC 6093). Meaningful while `isUrgent`. */
  sndUp: SeqNumber;
  isUrgent: boolean;
  sndWl1: SeqNumber;
  sndWl2: SeqNumber;
  iss: SeqNumber;
  /** Max(SND.WND) of RFC 9293 section 3.8.6.2.1. */
  maxSndWnd: number;

  // Receive Sequence Variables
  rcvNxt: SeqNumber;
  /** The window's right edge as it was last told: RCV.NXT + RCV.WND. */
  rcvEdge: SeqNumber;
  rcvUp: SeqNumber;
  isUrgentReceived: boolean;
  irs: SeqNumber;

  // What is queued
  sendRing: OctetRing;
  /** Number of the first octet in `sendRing`. */
  sendBase: SeqNumber;
  /** Octets in `sendRing`, acknowledged ones gone. */
  sendOctets: number;
  /** The program said that more follows at once. */
  hasMore: boolean;
  sent: SentList;
  receiveRing: OctetRing;
  /** In order, and not taken by the program. */
  receiveOctets: number;
  /** What came beyond RCV.NXT, in order, not touching one another. */
  early: SackBlock[];
  /** The FIN that came early; its number. */
  earlyFin: SeqNumber | undefined;
  /** Blocks of `early`, the latest first (RFC 2018 section 4). */
  recentBlocks: SeqNumber[];
  /** What came twice, to be told with the next ACK (RFC 2883). */
  dsack: SackBlock | undefined;

  // Acknowledging
  ackOwed: 'none' | 'delayed' | 'now';
  /** Octets received since the last ACK. */
  unacknowledgedOctets: number;
  /** The largest segment that came: what "full-sized" means (RFC 5681 section 4.2). */
  rcvMss: number;
  lastAckSent: SeqNumber;
  challengeAcks: number;
  challengeRoundNs: Nanos;

  // Segment sizes and the path
  /** The MSS option that came, or the default of RFC 9293 MUST-15. */
  peerMss: number;
  /** What this side's MSS option says. */
  readonly ownMss: number;
  readonly linkMtu: number;
  pathMtu: number;
  pmtu: PathMtuProbe;
  /** An IPv4 path that takes less than every host must: DF is not set. */
  allowsFragments: boolean;
  /** Data that several segments in one may hold, where the link cuts them apart; 0: each leaves by itself. */
  readonly bundleOctets: number;
  readonly ipHeaderOctets: number;
  /** Of the segments that leave, without and with ECT(0). */
  ip: IpHeader;
  ipEct: IpHeader;

  // Options in force
  sndWndShift: number;
  rcvWndShift: number;
  hasWindowScale: boolean;
  hasTimestamps: boolean;
  hasSack: boolean;
  hasEcn: boolean;
  tsOffset: number;
  tsRecent: number;
  tsRecentNs: Nanos;
  /** Fast Open (RFC 7413): the option for the SYN or SYN,ACK, where there is one. */
  fastOpenCookie: Uint8Array | undefined;
  /** Data of the SYN was taken, and may be answered before the handshake is complete (RFC 7413 section 4.2). */
  isFastOpened: boolean;
  /** The user timeout that the other side told (RFC 5482), in ms; 0: none. */
  peerUserTimeoutMs: number;
  /** The user timeout option is still to be sent. */
  owesUserTimeout: boolean;

  // ECN (RFC 3168 section 6.1)
  /** ECE is sent until a CWR comes. */
  echoesCongestion: boolean;
  owesCwr: boolean;
  /** One reduction a window. */
  cwrPoint: SeqNumber;

  timers: Timers;
  rtt: RoundTrip;
  congestion: CongestionState;
  recovery: Recovery;
  rack: Rack;
  tail: TailProbe;
  /** Repeats of the oldest segment since something new was acknowledged. */
  retries: number;
  /** When the oldest unacknowledged thing was first sent, or the window shut; NEVER when all is well. */
  troubleSinceNs: Nanos;
  /** Keep-alives without an answer. */
  keepAlives: number;
  lastReceivedNs: Nanos;
  lastSentNs: Nanos;
  /** A soft error that would explain a time-out (RFC 9293 section 3.9.2.2). */
  softError: string | undefined;
  counts: Counts;
}

export interface PathMtuProbe {
  /** Known to pass, and known or believed not to, in octets of IP packet; `high` 0: nothing is looked for. */
  low: number;
  high: number;
}

export interface Counts {
  segmentsIn: number;
  segmentsOut: number;
  octetsSent: number;
  octetsAcknowledged: number;
  octetsReceived: number;
  retransmissions: number;
  octetsRetransmitted: number;
  timeouts: number;
  duplicates: number;
}

export const noTimers = (): Timers => ({
  retransmit: NEVER,
  persist: NEVER,
  delayedAck: NEVER,
  keepAlive: NEVER,
  linger: NEVER,
  reorder: NEVER,
  tailLossProbe: NEVER,
  userTimeout: NEVER,
  mtuRaise: NEVER,
});

/** When the next timer runs out. */
export function nextTimerNs({ timers }: Pick<ControlBlock, 'timers'>): Nanos {
  return Math.min(
    timers.retransmit,
    timers.persist,
    timers.delayedAck,
    timers.keepAlive,
    timers.linger,
    timers.reorder,
    timers.tailLossProbe,
    timers.userTimeout,
    timers.mtuRaise,
  );
}

/** The number behind the last octet that the program has given. */
export const sendEnd = (block: ControlBlock): SeqNumber => seqAdd(block.sendBase, block.sendOctets);

/** An independent copy. */
export function cloneBlock(block: ControlBlock): ControlBlock {
  return {
    ...block,
    sendRing: block.sendRing.clone(),
    receiveRing: block.receiveRing.clone(),
    sent: block.sent.clone(),
    early: [...block.early],
    recentBlocks: [...block.recentBlocks],
    timers: { ...block.timers },
    rtt: { ...block.rtt },
    congestion: { ...block.congestion, cubic: { ...block.congestion.cubic } },
    recovery: { ...block.recovery, rate: { ...block.recovery.rate } },
    rack: { ...block.rack },
    tail: { ...block.tail },
    pmtu: { ...block.pmtu },
    counts: { ...block.counts },
  };
}
