/**
 * Watches the packets of two hosts as they leave, and demands of each what RFC 9293 demands of every segment: sound, with flags that go
 * together, numbers that move on, data that was asked for inside of a window that was offered, and no larger than was allowed.
 */
import {
  decode,
  describeSegment,
  FLAG,
  option,
  optionsLength,
  type Segment,
  type SeqNumber,
  segLen,
  seqAdd,
  seqDiff,
  seqGeq,
  seqGt,
  seqLeq,
  seqLt,
} from '../../harness/segment/index.js';
import { type HostName, otherHost } from './two-hosts.js';
import { demand, Violation } from './violation.js';

/** What one side has said so far. */
interface Said {
  readonly iss: SeqNumber;
  readonly mss: number;
  readonly shift: number | undefined;
  readonly hasTimestamps: boolean;
  readonly permitsSack: boolean;
  /** Behind the last number that was ever used. */
  nxt: SeqNumber;
  ack: SeqNumber | undefined;
  /** The right edge that was offered, the furthest of all. */
  edge: SeqNumber | undefined;
  tsVal: number | undefined;
  /** The other side has begun a new connection since, of which this one need not know. */
  isOld: boolean;
}

export interface LegalSegmentsOptions {
  /** Of the link, in octets of IP packet. */
  readonly mtu: number;
  /** Whether these octets are what the side's program gave from there on. */
  readonly isText?: (from: HostName, at: number, payload: Uint8Array) => boolean;
}

const LEGAL_FLAGS: ReadonlySet<number> = new Set([
  FLAG.SYN,
  FLAG.SYN | FLAG.ACK,
  FLAG.ACK,
  FLAG.ACK | FLAG.PSH,
  FLAG.ACK | FLAG.FIN,
  FLAG.ACK | FLAG.PSH | FLAG.FIN,
  FLAG.RST,
  FLAG.RST | FLAG.ACK,
]);

/** Whatever came before, a host sends no other segments than these. */
export function checkShape(segment: Segment): void {
  const { flags, options, payload, urgentPointer, ip } = segment;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const core = flags & ~(FLAG.URG | FLAG.ECE | FLAG.CWR);
  demand(LEGAL_FLAGS.has(core), () => 'these flags do not go together');
  demand(has(FLAG.URG) === urgentPointer > 0, () => 'URG and the urgent pointer contradict each other');
  const octets = optionsLength(options);
  demand(octets <= 40, () => `its options take ${octets} octets`);
  demand(segment.optionsProblem === undefined, () => `its options: ${segment.optionsProblem?.what}`);
  // RFC 7323 section 5.2: timestamps, where they were agreed on, on a RST too.
  const isBare = payload.length === 0 && options.every(({ kind }) => kind === 'nop' || kind === 'timestamps');
  if (has(FLAG.RST)) demand(isBare, () => 'a RST carries something');
  if (!has(FLAG.ACK)) demand(segment.ack === 0, () => 'an ACK field without the flag');
  for (const { kind } of options) {
    const isOfSyn =
      kind === 'mss' || kind === 'windowScale' || kind === 'sackPermitted' || kind === 'fastOpen';
    if (isOfSyn) demand(has(FLAG.SYN), () => `the option ${kind} belongs on a SYN`);
    if (kind === 'sack') demand(!has(FLAG.SYN), () => 'SACK blocks on a SYN');
  }
  const mark = ip.trafficClass & 0b11;
  demand(mark !== 0b11, () => 'it claims that the network is congested');
  if (payload.length === 0 || has(FLAG.SYN)) demand(mark === 0, () => 'it may not be marked, yet says so');
}

export class LegalSegments {
  readonly #options: LegalSegmentsOptions;
  readonly #said: Partial<Record<HostName, Said>> = {};

  constructor(options: LegalSegmentsOptions) {
    this.#options = options;
  }

  check(from: HostName, packet: Uint8Array): void {
    const decoded = decode(packet);
    demand(decoded.kind === 'segment', () => `${from} sent something that is no segment`);
    const { segment, checksumOk } = decoded;
    try {
      demand(checksumOk.ip && checksumOk.tcp, () => 'its checksum is wrong');
      demand(packet.length <= this.#options.mtu, () => `the link takes ${this.#options.mtu} octets`);
      checkShape(segment);
      if ((segment.flags & FLAG.RST) === 0) this.#checkNumbers(from, segment);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      throw new Violation(`${from} sent ${describeSegment(segment)}: ${error.message}`);
    }
  }

  #checkNumbers(from: HostName, segment: Segment): void {
    const { flags, seq } = segment;
    if ((flags & FLAG.SYN) !== 0) this.#heed(from, segment);
    const own = this.#said[from];
    const other = this.#said[otherHost(from)];
    if (own?.isOld) return;
    const peer = other?.isOld ? undefined : other;
    demand(own !== undefined, () => 'it sent no SYN before');
    const end = seqAdd(seq, segLen(segment));
    demand(
      seqGeq(seq, own.iss) && seqLeq(seq, own.nxt),
      () => `its numbers go from ${own.iss} to ${own.nxt}`,
    );
    if (segment.payload.length > 0) this.#checkText(from, segment, own);
    if (seqGt(end, own.nxt)) {
      if (peer?.edge !== undefined) checkWindow(segment, end, peer.edge);
      own.nxt = end;
    }
    if ((flags & FLAG.ACK) === 0) return;
    demand(peer !== undefined, () => 'it acknowledges a peer that has said nothing');
    checkAck(segment, own, peer);
    checkOptions(segment, own, peer);
  }

  /** A SYN with another number begins another connection. */
  #heed(from: HostName, segment: Segment): void {
    const { seq, flags, ip } = segment;
    if (this.#said[from]?.iss === seq) return;
    const other = this.#said[otherHost(from)];
    if ((flags & FLAG.ACK) === 0 && this.#said[from] !== undefined && other !== undefined) other.isOld = true;
    this.#said[from] = {
      iss: seq,
      mss: option(segment, 'mss')?.mss ?? (ip.version === 4 ? 536 : 1220),
      shift: option(segment, 'windowScale')?.shift,
      hasTimestamps: option(segment, 'timestamps') !== undefined,
      permitsSack: option(segment, 'sackPermitted') !== undefined,
      nxt: seq,
      ack: undefined,
      edge: undefined,
      tsVal: undefined,
      isOld: false,
    };
  }

  #checkText(from: HostName, { seq, payload, options, flags }: Segment, own: Said): void {
    const isSyn = (flags & FLAG.SYN) !== 0;
    const peer = this.#said[otherHost(from)];
    // RFC 6691 and RFC 9293 section 3.7.1: options count.
    const most = isSyn ? this.#options.mtu : (peer?.mss ?? 0);
    const octets = payload.length + optionsLength(options);
    demand(octets <= most, () => `${octets} octets of options and data, and the other side takes ${most}`);
    const at = seqDiff(seq, own.iss) - (isSyn ? 0 : 1);
    demand(
      this.#options.isText?.(from, at, payload) !== false,
      () => `its data is not what was given at ${at}`,
    );
  }
}

/** New data lies in the window; what probes it is one octet, or a FIN. */
function checkWindow({ seq, payload }: Segment, end: SeqNumber, edge: SeqNumber): void {
  const beyond = seqDiff(end, edge);
  const isProbe = seqGeq(seq, edge) && payload.length <= 1;
  demand(beyond <= 0 || isProbe, () => `the window that was offered ends at ${edge}, ${beyond} before it`);
}

function checkAck({ flags, ack, window }: Segment, own: Said, peer: Said): void {
  demand(seqLeq(ack, peer.nxt), () => `the other side has sent up to ${peer.nxt}`);
  demand(own.ack === undefined || seqGeq(ack, own.ack), () => `it has acknowledged ${own.ack} before`);
  own.ack = ack;
  const isScaled = (flags & FLAG.SYN) === 0 && own.shift !== undefined && peer.shift !== undefined;
  const unit = isScaled ? 2 ** Math.min(own.shift ?? 0, 14) : 1;
  const edge = seqAdd(ack, window * unit);
  // A SYN,ACK that comes again cannot tell what is scaled, and nobody takes its window any more.
  if ((flags & FLAG.SYN) !== 0 && own.edge !== undefined) return;
  // RFC 7323 section 2.4: it may move back by a part of the unit that the field counts in.
  demand(
    own.edge === undefined || seqGt(seqAdd(edge, unit), own.edge),
    () => `the window ended at ${own.edge}, and ends at ${edge} now`,
  );
  if (own.edge === undefined || seqGt(edge, own.edge)) own.edge = edge;
}

function checkOptions(segment: Segment, own: Said, peer: Said): void {
  const isSyn = (segment.flags & FLAG.SYN) !== 0;
  const timestamps = option(segment, 'timestamps');
  if (!isSyn)
    demand(
      (timestamps !== undefined) === (own.hasTimestamps && peer.hasTimestamps),
      () => 'timestamps were agreed on otherwise',
    );
  if (timestamps !== undefined) {
    const { tsVal } = timestamps;
    const before = own.tsVal ?? tsVal;
    demand(((tsVal - before) | 0) >= 0, () => `its clock said ${before} before`);
    own.tsVal = tsVal;
  }
  const sack = option(segment, 'sack');
  if (sack === undefined) return;
  demand(own.permitsSack && peer.permitsSack, () => 'SACK was not agreed on');
  sack.blocks.forEach(({ left, right }, i) => {
    demand(seqLt(left, right) && seqLeq(right, peer.nxt), () => `its block ${left}-${right} was never sent`);
    // The first may tell of what came twice (RFC 2883).
    demand(i === 0 || seqGt(left, segment.ack), () => `its block ${left}-${right} is acknowledged`);
  });
}
