/** What a control block is made of, and how it begins. */
import { type IpHeader, type SackBlock, type SeqNumber, seqAdd } from '../../harness/segment/index.js';
import { initialCongestion } from './congestion/congestion-control.js';
import type { CongestionState } from './congestion/congestion-state.js';
import { noRate } from './congestion/proportional-rate.js';
import {
  type ControlBlock,
  type Counts,
  noTimers,
  type PathMtuProbe,
  type Rack,
  type Recovery,
  type RoundTrip,
  type SocketAddress,
  type TailProbe,
  type Timers,
} from './control-block.js';
import { ipHeaders } from './ip-headers.js';
import { OctetRing } from './octet-ring.js';
import { noRack } from './rack.js';
import { initialRoundTrip } from './round-trip.js';
import { SentList } from './sent-list.js';
import type { TcpSettings } from './settings.js';
import { TCP_HEADER_OCTETS } from './sizes.js';
import type { TcpState } from './state.js';
import { type Nanos, NEVER } from './time.js';

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

export const newBlock = (options: OpenOptions, isActive: boolean, nowNs: Nanos): ControlBlock =>
  new NewBlock(options, isActive, nowNs);

/** RFC 9293 MUST-15: when no MSS option came. */
const DEFAULT_MSS = { 4: 536, 6: 1220 } as const;
const IP_HEADER_OCTETS = { 4: 20, 6: 40 } as const;
const MOST_TCP_HEADER_OCTETS = 60;
const ZERO = 0 as SeqNumber;

/** A class for the sake of speed alone: a hundred fields put together from pieces take fifty times as long. */
class NewBlock implements ControlBlock {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  settings: TcpSettings;
  state: TcpState;
  readonly isActive: boolean;
  isHeld: boolean = true;
  isClosing: boolean = false;
  sndUna: SeqNumber;
  sndNxt: SeqNumber;
  sndWnd: number = 0;
  sndUp: SeqNumber;
  isUrgent: boolean = false;
  sndWl1: SeqNumber = ZERO;
  sndWl2: SeqNumber;
  iss: SeqNumber;
  maxSndWnd: number = 0;
  rcvNxt: SeqNumber = ZERO;
  rcvEdge: SeqNumber = ZERO;
  rcvUp: SeqNumber = ZERO;
  isUrgentReceived: boolean = false;
  irs: SeqNumber = ZERO;
  sendRing: OctetRing = new OctetRing();
  sendBase: SeqNumber;
  sendOctets: number = 0;
  hasMore: boolean = false;
  sent: SentList = new SentList();
  receiveRing: OctetRing = new OctetRing();
  receiveOctets: number = 0;
  early: SackBlock[] = [];
  earlyFin: SeqNumber | undefined = undefined;
  recentBlocks: SeqNumber[] = [];
  dsack: SackBlock | undefined = undefined;
  ackOwed: 'none' | 'delayed' | 'now' = 'none';
  unacknowledgedOctets: number = 0;
  rcvMss: number = 536;
  lastAckSent: SeqNumber = ZERO;
  challengeAcks: number = 0;
  challengeRoundNs: Nanos = 0;
  peerMss: number;
  readonly ownMss: number;
  readonly linkMtu: number;
  pathMtu: number;
  pmtu: PathMtuProbe = { low: 0, high: 0 };
  allowsFragments: boolean = false;
  readonly bundleOctets: number;
  readonly ipHeaderOctets: number;
  ip: IpHeader;
  ipEct: IpHeader;
  sndWndShift: number = 0;
  rcvWndShift: number = 0;
  hasWindowScale: boolean = false;
  hasTimestamps: boolean = false;
  hasSack: boolean = false;
  hasEcn: boolean = false;
  tsOffset: number;
  tsRecent: number = 0;
  tsRecentNs: Nanos;
  fastOpenCookie: Uint8Array | undefined;
  isFastOpened: boolean = false;
  peerUserTimeoutMs: number = 0;
  owesUserTimeout: boolean;
  echoesCongestion: boolean = false;
  owesCwr: boolean = false;
  cwrPoint: SeqNumber;
  timers: Timers = noTimers();
  rtt: RoundTrip;
  congestion: CongestionState;
  recovery: Recovery;
  rack: Rack;
  tail: TailProbe;
  retries: number = 0;
  troubleSinceNs: Nanos = NEVER;
  keepAlives: number = 0;
  lastReceivedNs: Nanos;
  lastSentNs: Nanos;
  softError: string | undefined = undefined;
  counts: Counts;

  constructor(options: OpenOptions, isActive: boolean, nowNs: Nanos) {
    const { settings, ipVersion, iss, linkMtu, pathMtu = linkMtu } = options;
    this.local = options.local;
    this.remote = options.remote;
    this.settings = settings;
    this.state = isActive ? 'CLOSED' : 'LISTEN';
    this.isActive = isActive;
    this.iss = iss;
    this.sndUna = iss;
    this.sndNxt = iss;
    this.sndUp = iss;
    this.sndWl2 = iss;
    this.cwrPoint = iss;
    this.sendBase = seqAdd(iss, 1);
    this.peerMss = DEFAULT_MSS[ipVersion];
    this.ipHeaderOctets = IP_HEADER_OCTETS[ipVersion];
    const most = linkMtu - this.ipHeaderOctets - TCP_HEADER_OCTETS;
    this.ownMss = settings.maxSegmentOctets > 0 ? Math.min(settings.maxSegmentOctets, most) : most;
    this.linkMtu = linkMtu;
    this.pathMtu = Math.min(pathMtu, linkMtu, mostUndiscovered(options));
    const { offloadOctets = 0 } = options;
    this.bundleOctets = Math.max(offloadOctets - this.ipHeaderOctets - MOST_TCP_HEADER_OCTETS, 0);
    const { ip, ipEct } = ipHeaders(options);
    this.ip = ip;
    this.ipEct = ipEct;
    this.tsOffset = options.tsOffset;
    this.tsRecentNs = nowNs;
    this.fastOpenCookie = options.fastOpenCookie;
    this.owesUserTimeout = settings.userTimeoutMs > 0;
    this.rtt = initialRoundTrip(settings);
    this.congestion = initialCongestion(settings.initialWindowSegments, this.peerMss);
    this.recovery = noRecovery(iss);
    this.rack = noRack(iss);
    this.tail = { isUnderway: false, isRetransmission: false, endSeq: iss };
    this.lastReceivedNs = nowNs;
    this.lastSentNs = nowNs;
    this.counts = noCounts();
  }
}

/** RFC 8200 section 5: who does not look for the path's MTU sends no more than every path takes, for no router will cut it up. */
const mostUndiscovered = ({ ipVersion, settings }: OpenOptions): number =>
  ipVersion === 6 && settings.pathMtuDiscovery === 'off' ? 1280 : Number.POSITIVE_INFINITY;

const noRecovery = (point: SeqNumber): Recovery => ({
  kind: 'none',
  point,
  duplicateAcks: 0,
  inflation: 0,
  owesRepeat: false,
  rate: noRate(),
  marked: 0,
});

const noCounts = (): Counts => ({
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
