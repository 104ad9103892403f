/** Fifth step of SEGMENT ARRIVES, check the ACK field: what an acceptable acknowledgment does to the send side. */
import {
  FLAG,
  option,
  type SackBlock,
  type Segment,
  type SeqNumber,
  seqAdd,
  seqDiff,
  seqGeq,
  seqGt,
  seqLeq,
  seqLt,
} from '../../harness/segment/index.js';
import { growWindow, reduceForMark } from './congestion/congestion-control.js';
import { paceRecovery } from './congestion/proportional-rate.js';
import { type ControlBlock, sendEnd } from './control-block.js';
import { tsNow } from './options.js';
import { mtuProbeArrived } from './path-mtu.js';
import {
  armTailLossProbe,
  rackDelivered,
  rackDetectsLoss,
  rackSawDuplicate,
  tailLossRepaired,
} from './rack.js';
import { beginFastRecovery, duplicateAck, recoveryAdvanced } from './recovery.js';
import { measured } from './round-trip.js';
import { endOf, type SentRecord } from './sent-list.js';
import type { Step } from './step.js';
import { NANOS_PER_MS, type Nanos, NEVER } from './time.js';
import { armRetransmit, stopRetransmit } from './timers.js';
import { markLost, splitRecord } from './transmit.js';

/** What an ACK told. */
interface News {
  /** Sequence numbers newly acknowledged. */
  acked: number;
  hasSacked: boolean;
  hasDsack: boolean;
  isDuplicate: boolean;
  /** It acknowledges the same as the one before, and tells nothing else, whether or not anything is under way. */
  isRepeated: boolean;
  /** Octets that arrived, cumulatively or selectively acknowledged. */
  delivered: number;
  /** ECN-Echo, heeded. */
  isMarked: boolean;
  /** When what is acknowledged and was sent more than once was sent last. */
  ambiguousNs: Nanos;
  /** Round trip of the latest record that was sent once, and was delivered by this ACK. */
  sampleNs: Nanos | undefined;
  /** When that was sent. */
  sampledNs: Nanos;
}

/** Takes an ACK with SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT. */
export function takeAck(block: ControlBlock, step: Step, segment: Segment): void {
  const { nowNs } = step;
  const news: News = {
    acked: 0,
    hasSacked: false,
    hasDsack: false,
    isDuplicate: isDuplicate(block, segment),
    isRepeated:
      segment.ack === block.sndUna && segment.payload.length === 0 && option(segment, 'sack') === undefined,
    ambiguousNs: Number.NEGATIVE_INFINITY,
    sampledNs: Number.NEGATIVE_INFINITY,
    delivered: 0,
    // On a SYN,ACK the flag grants ECN.
    isMarked: block.hasEcn && (segment.flags & (FLAG.ECE | FLAG.SYN)) === FLAG.ECE,
    sampleNs: undefined,
  };
  // SND.UNA < SEG.ACK =< SND.NXT: what it covers leaves the retransmission queue.
  if (seqGt(segment.ack, block.sndUna)) advance(block, step, segment.ack, news);
  if (block.hasSack) takeSack(block, segment, nowNs, news);
  sampleRoundTrip(block, segment, nowNs, news);
  const wasShut = block.sndWnd === 0;
  updateWindow(block, segment, news.acked > 0);
  recover(block, nowNs, news, segment.ack);
  if (news.isMarked) heedCongestionEcho(block);
  if (wasShut || block.sndWnd === 0) shutWindowAnswered(block, nowNs);
  if (news.acked > 0) progressed(block, nowNs, news);
}

/** RFC 5681 section 2: data is under way, and this tells nothing but that something came out of order. */
function isDuplicate(block: ControlBlock, { ack, payload, flags, window }: Segment): boolean {
  return (
    ack === block.sndUna &&
    block.sent.count > 0 &&
    payload.length === 0 &&
    (flags & (FLAG.SYN | FLAG.FIN)) === 0 &&
    window * 2 ** block.sndWndShift === block.sndWnd
  );
}

function advance(block: ControlBlock, step: Step, ack: SeqNumber, news: News): void {
  const { sent } = block;
  for (let first = sent.first; first !== undefined && seqLeq(endOf(first), ack); first = sent.first) {
    deliver(block, first, step.nowNs, news);
    if (first.isSacked || first.isLost) block.recovery.marked -= 1;
    sent.shift();
  }
  const first = sent.first;
  if (first !== undefined && seqLt(first.seq, ack)) {
    if (!first.isSacked) news.delivered += seqDiff(ack, first.seq);
    first.length -= seqDiff(ack, first.seq);
    first.seq = ack;
  }
  news.acked = seqDiff(ack, block.sndUna);
  block.sndUna = ack;
  dropAcknowledged(block, step, ack);
  if (block.isUrgent && seqGeq(ack, block.sndUp)) block.isUrgent = false;
}

/** The program's octets that are acknowledged: SYN and FIN take numbers and no room. */
function dropAcknowledged(block: ControlBlock, step: Step, ack: SeqNumber): void {
  const end = sendEnd(block);
  const octets = seqDiff(seqGt(ack, end) ? end : ack, block.sendBase);
  if (octets <= 0) return;
  block.sendOctets -= octets;
  block.sendRing.drop(octets, block.sendOctets);
  block.sendBase = seqAdd(block.sendBase, octets);
  block.counts.octetsAcknowledged += octets;
  step.notices.push({ kind: 'writable' });
}

/** A record has arrived, whatever told it. */
function deliver(block: ControlBlock, record: SentRecord, nowNs: Nanos, news: News): void {
  if (record.isSacked) return;
  news.delivered += record.length;
  // Karn's algorithm (RFC 6298 section 3): of what was sent twice nobody knows which arrived.
  if (record.transmissions > 1) news.ambiguousNs = Math.max(news.ambiguousNs, record.sentNs);
  else {
    news.sampleNs = nowNs - record.sentNs;
    news.sampledNs = record.sentNs;
  }
  if (record.mtuProbe > 0) mtuProbeArrived(block, record, nowNs);
  if (block.hasSack) rackDelivered(block, record, nowNs);
}

function takeSack(block: ControlBlock, segment: Segment, nowNs: Nanos, news: News): void {
  const sack = option(segment, 'sack');
  if (sack === undefined) return;
  const [first, second] = sack.blocks;
  if (first !== undefined && isDsack(segment, first, second)) {
    news.hasDsack = true;
    rackSawDuplicate(block);
  }
  for (const { left, right } of sack.blocks) {
    // RFC 6675 section 5 and RFC 2018: blocks of what was never sent, or is acknowledged, tell nothing.
    if (!seqLt(left, right) || seqGt(right, block.sndNxt) || seqLeq(right, block.sndUna)) continue;
    if (block.bundleOctets > 0) splitAt(block, left);
    if (block.bundleOctets > 0) splitAt(block, right);
    for (let i = block.sent.indexOf(left); i < block.sent.count; i += 1) {
      const record = block.sent.at(i);
      if (record === undefined || seqGt(endOf(record), right)) break;
      if (record.isSacked || seqLt(record.seq, left)) continue;
      deliver(block, record, nowNs, news);
      if (!record.isLost) block.recovery.marked += 1;
      record.isLost = false;
      record.isSacked = true;
      news.hasSacked = true;
    }
  }
}

/** Of several segments that left in one, some have arrived: from now on they are told apart. */
function splitAt(block: ControlBlock, seq: SeqNumber): void {
  const i = block.sent.indexOf(seq);
  const record = block.sent.at(i);
  if (record !== undefined) splitRecord(block, i, seqDiff(seq, record.seq));
}

/** RFC 2883 section 4: the first block lies below the cumulative ACK, or inside of the second. */
const isDsack = ({ ack }: Segment, { left, right }: SackBlock, second: SackBlock | undefined): boolean =>
  seqLt(left, ack) || (second !== undefined && seqGeq(left, second.left) && seqLeq(right, second.right));

/** A record that was sent once, else RFC 7323 section 4 on the timestamp that came back. */
function sampleRoundTrip(block: ControlBlock, segment: Segment, nowNs: Nanos, news: News): void {
  // What was sent before something else went again may have waited for that, and was not long on its way.
  if (news.sampledNs < news.ambiguousNs) news.sampleNs = undefined;
  if (news.sampleNs === undefined && news.acked > 0 && block.hasTimestamps) {
    const echoed = option(segment, 'timestamps')?.tsEcr ?? 0;
    const elapsedMs = (tsNow(block, nowNs) - echoed) | 0;
    if (echoed !== 0 && elapsedMs >= 0) news.sampleNs = Math.max(elapsedMs, 1) * NANOS_PER_MS;
  }
  if (news.sampleNs !== undefined) measured(block, news.sampleNs);
}

/**
 * SND.WL1 and SND.WL2 keep old segments from changing the window. What acknowledges more is none, though its number may be lower than
 * that of a segment that overtook it: with the old window from the new SND.UNA on, the edge would be where nobody has offered it.
 */
function updateWindow(block: ControlBlock, { seq, ack, window, flags }: Segment, hasAdvanced: boolean): void {
  const isNewer =
    hasAdvanced || seqLt(block.sndWl1, seq) || (block.sndWl1 === seq && seqLeq(block.sndWl2, ack));
  if (!isNewer || seqLt(ack, block.sndUna)) return;
  // RFC 7323 section 2.2: never that of a SYN.
  block.sndWnd = (flags & FLAG.SYN) === 0 ? window * 2 ** block.sndWndShift : window;
  block.maxSndWnd = Math.max(block.maxSndWnd, block.sndWnd);
  block.sndWl1 = seq;
  block.sndWl2 = ack;
}

function recover(block: ControlBlock, nowNs: Nanos, news: News, ack: SeqNumber): void {
  const { recovery } = block;
  const wasFast = recovery.kind === 'fast';
  if (news.acked > 0) {
    // These move along, or 2^31 octets later all would seem to be before them.
    if (seqGt(block.sndUna, block.cwrPoint)) block.cwrPoint = block.sndUna;
    if (recovery.kind === 'none') {
      // Below SND.UNA: at it, duplicate ACKs would be taken for those of a recovery that has ended (RFC 6582 section 3.2 step 2).
      if (seqGt(block.sndUna, recovery.point)) recovery.point = seqAdd(block.sndUna, -1);
      recovery.duplicateAcks = 0;
      recovery.inflation = 0;
    } else recoveryAdvanced(block, news.acked);
    // RFC 3168 section 6.1.2: an ACK with ECN-Echo lets nothing grow.
    if (!wasFast && !news.isMarked) growWindow(block, news.acked, nowNs);
  } else if (news.isDuplicate && !block.hasSack) duplicateAck(block, nowNs);
  if (!block.hasSack) return;
  const isWorse = recovery.marked > 0 && rackDetectsLoss(block, nowNs);
  if (isWorse) beginFastRecovery(block);
  else if (recovery.marked === 0) block.timers.reorder = NEVER;
  if (recovery.kind === 'fast') paceRecovery(block, news.delivered, news.acked > 0 && !isWorse);
  if (tailLossRepaired(block, ack, news) && recovery.kind === 'none') {
    // RFC 8985 section 7.4.2: a loss that the probe repaired is a loss all the same.
    reduceForMark(block);
  }
}

/** RFC 3168 section 6.1.2. */
function heedCongestionEcho(block: ControlBlock): void {
  if (seqLt(block.sndUna, block.cwrPoint) || block.recovery.kind !== 'none') return;
  reduceForMark(block);
}

/** MUST-37: while its probes are answered a connection stays open. What was put before a shut window is sent again when it opens. */
function shutWindowAnswered(block: ControlBlock, nowNs: Nanos): void {
  block.retries = 0;
  // A user timeout of this side's program counts while the window is shut (RFC 6429 section 5); one that was told does not.
  if (block.settings.userTimeoutMs === 0) block.troubleSinceNs = NEVER;
  const first = block.sent.first;
  if (block.sndWnd === 0) return;
  block.timers.persist = NEVER;
  if (first === undefined || first.isSyn) return;
  const hasProbed = block.rtt.backoff > 0 || first.transmissions > 1;
  block.rtt.backoff = 0;
  // Nothing that was sent before a probe has been taken: it came while there was no room.
  const isProbe = block.sent.count === 1;
  if (!hasProbed && !isProbe) return;
  for (let i = 0; i < block.sent.count; i += 1) {
    const record = block.sent.at(i);
    if (record !== undefined) markLost(block, record);
  }
  armRetransmit(block, nowNs);
}

/** RFC 6298 rules 5.2 and 5.3. */
function progressed(block: ControlBlock, nowNs: Nanos, news: News): void {
  block.retries = 0;
  block.softError = undefined;
  block.troubleSinceNs = NEVER;
  // Karn: a doubled RTO stays until something was measured.
  if (news.sampleNs !== undefined) block.rtt.backoff = 0;
  if (block.sent.count === 0) stopRetransmit(block);
  else {
    armRetransmit(block, nowNs);
    armTailLossProbe(block, nowNs);
  }
}
