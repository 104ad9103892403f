/** What may be sent now: what was lost first, then new data, then the FIN (RFC 9293 section 3.8.6.2.1, RFC 5681, RFC 6675). */
import { FLAG, seqAdd, seqDiff } from '../../harness/segment/index.js';
import { restartAfterIdle } from './congestion/congestion-control.js';
import { type ControlBlock, sendEnd } from './control-block.js';
import { emit, emitSyn, sendAck } from './emit.js';
import { optionOctets, usualOptions } from './options.js';
import { mtuProbeOctets } from './path-mtu.js';
import { armTailLossProbe } from './rack.js';
import { endOf, type SentRecord } from './sent-list.js';
import { effectiveMss, flightOctets, pipeOctets, segmentLimit, unsentOctets } from './sizes.js';
import { enter, type Step } from './step.js';
import { type Nanos, NEVER } from './time.js';
import { armRetransmit, fromNow } from './timers.js';

/** The override time-out of RFC 9293 section 3.8.6.2.1: 0.1 to 1 s. */
const OVERRIDE_MS = 200;

/** Sends all that may be sent, then an ACK if one is owed and nothing carried it. */
export function transmit(block: ControlBlock, step: Step): void {
  if (mayTransmit(block)) {
    repeatLost(block, step);
    sendNew(block, step);
    armPersist(block, step);
  }
  if (block.ackOwed === 'now') sendAck(block, step);
}

function mayTransmit({ state, isFastOpened, isClosing, sendOctets }: ControlBlock): boolean {
  switch (state) {
    case 'ESTABLISHED':
    case 'CLOSE-WAIT':
    case 'FIN-WAIT-1':
    case 'CLOSING':
    case 'LAST-ACK':
      return true;
    case 'SYN-RECEIVED':
      // Section 3.10.4: "if no SENDs have been issued and there is no pending data to send, then form a FIN segment and send it".
      return isFastOpened || (isClosing && sendOctets === 0);
    default:
      return false;
  }
}

/** The FIN is behind the last octet that the program gave. */
export const isFinSent = (block: ControlBlock): boolean => seqDiff(block.sndNxt, sendEnd(block)) > 0;

/** Octets that congestion control still lets into the network. What is alone there may always go. */
function congestionRoom(block: ControlBlock): number {
  const pipe = pipeOctets(block);
  return pipe === 0 ? Number.POSITIVE_INFINITY : block.congestion.cwnd - pipe;
}

function repeatLost(block: ControlBlock, step: Step): void {
  if (block.recovery.marked === 0) return;
  for (let i = 0; i < block.sent.count; i += 1) {
    const record = block.sent.at(i);
    if (record === undefined || !record.isLost) continue;
    const isFree = block.recovery.owesRepeat;
    if (!isFree && congestionRoom(block) < Math.min(record.length, effectiveMss(block))) {
      block.congestion.isLimiting = true;
      return;
    }
    repeat(block, step, i);
  }
}

/** Sends the record again, cut to what a segment holds now, or filled up with what follows. */
export function repeat(block: ControlBlock, step: Step, index: number): void {
  const record = block.sent.at(index);
  if (record === undefined) return;
  if (record.isLost) {
    record.isLost = false;
    block.recovery.marked -= 1;
  }
  block.recovery.owesRepeat = false;
  record.transmissions += 1;
  record.sentNs = step.nowNs;
  record.order = block.counts.segmentsOut;
  block.counts.retransmissions += 1;
  if (record.isSyn) {
    // RFC 7413 section 4.1.3.1: a path may drop what it does not know.
    if (block.state === 'SYN-SENT') block.fastOpenCookie = undefined;
    emitSyn(block, step);
  } else {
    resize(block, step, index, record);
    block.counts.octetsRetransmitted += record.length;
    block.recovery.rate.out += record.length;
    emitRecord(block, step, record, false);
  }
  armRetransmit(block, step.nowNs);
}

function resize(block: ControlBlock, step: Step, index: number, record: SentRecord): void {
  const limit = payloadLimit(block, step.nowNs);
  if (record.length - (record.isFin ? 1 : 0) > limit) {
    splitRecord(block, index, limit);
    const rest = block.sent.at(index + 1);
    // The rest has left as often as the whole; whether it was lost is as true of it.
    if (rest !== undefined && rest !== record && !rest.isSacked) markLost(block, rest);
    return;
  }
  const isLast = index === block.sent.count - 1;
  if (!isLast || record.isFin) return;
  const usable = seqDiff(seqAdd(block.sndUna, block.sndWnd), block.sndNxt);
  const more = Math.min(limit - record.length, unsentOctets(block), usable);
  if (more <= 0) return;
  record.length += more;
  block.sndNxt = seqAdd(block.sndNxt, more);
  // MUST-61: it is the last that is queued now.
  record.isPushed = unsentOctets(block) === 0;
}

/** Makes two of one record: what marked it marks both. */
export function splitRecord({ sent, recovery }: ControlBlock, index: number, length: number): void {
  const record = sent.at(index);
  if (record === undefined || length <= 0 || length >= record.length) return;
  sent.split(index, length);
  if (record.isSacked || record.isLost) recovery.marked += 1;
}

export function markLost(block: ControlBlock, record: SentRecord): void {
  if (record.isLost || record.isSacked) return;
  record.isLost = true;
  block.recovery.marked += 1;
}

/** Data that fits beside the options of a segment that leaves now. */
function payloadLimit(block: ControlBlock, nowNs: Nanos): number {
  const hasBlocks = block.hasSack && (block.early.length > 0 || block.dsack !== undefined);
  if (!hasBlocks && !block.owesUserTimeout) return effectiveMss(block);
  return segmentLimit(block, block.pathMtu) - optionOctets(usualOptions(block, nowNs));
}

/** What leaves for the first time is remembered, and SND.NXT moves behind it. */
export function leaves(
  block: ControlBlock,
  step: Step,
  {
    length,
    isSyn,
    isFin,
    isPushed,
    mtuProbe,
  }: Pick<SentRecord, 'length' | 'isSyn' | 'isFin' | 'isPushed' | 'mtuProbe'>,
): SentRecord {
  const record: SentRecord = {
    seq: block.sndNxt,
    length,
    isSyn,
    isFin,
    isPushed,
    sentNs: step.nowNs,
    order: block.counts.segmentsOut,
    transmissions: 1,
    isSacked: false,
    isLost: false,
    mtuProbe,
  };
  block.sent.push(record);
  block.sndNxt = endOf(record);
  return record;
}

interface Piece {
  readonly octets: number;
  readonly isFin: boolean;
  readonly mtuProbe: number;
}

function sendNew(block: ControlBlock, step: Step): void {
  if (unsentOctets(block) === 0 && !(block.isClosing && !isFinSent(block))) return;
  restartAfterIdle(block, step.nowNs);
  for (;;) {
    const piece = nextPiece(block, step);
    if (piece === undefined) return;
    sendPiece(block, step, piece);
  }
}

/** RFC 9293 section 3.8.6.2.1, the sender's silly window avoidance with Nagle's algorithm (section 3.7.4). */
function nextPiece(block: ControlBlock, step: Step): Piece | undefined {
  const unsent = unsentOctets(block);
  const wantsFin = block.isClosing && !isFinSent(block);
  if (unsent === 0 && !wantsFin) return undefined;
  const usable = seqDiff(seqAdd(block.sndUna, block.sndWnd), block.sndNxt);
  if (usable <= 0) return undefined;
  const limit = payloadLimit(block, step.nowNs);
  const probe = mtuProbeOctets(block, Math.min(unsent, usable));
  const single = probe > 0 ? probe - (block.pathMtu - limit) : Math.min(unsent, usable, limit);
  const isLast = wantsFin && single === unsent && usable > single;
  if (single < limit && !isLast && !mayBeSmall(block, single, single === unsent)) return undefined;
  const room = congestionRoom(block);
  if (room < single) {
    block.congestion.isLimiting = true;
    return undefined;
  }
  const octets = single === limit ? bundle(block, limit, Math.min(unsent, usable, room)) : single;
  const isFin = wantsFin && octets === unsent && usable > octets;
  return { octets, isFin, mtuProbe: probe };
}

/** As many full segments in one as there may be, where the link cuts them apart: the stack's work is for each packet, not for each octet. */
function bundle({ bundleOctets, congestion }: ControlBlock, limit: number, most: number): number {
  const octets = Math.min(most, bundleOctets, congestion.cwnd);
  return Math.max(octets - (octets % limit), limit);
}

/** May a segment leave that is not full? */
function mayBeSmall(block: ControlBlock, octets: number, isAll: boolean): boolean {
  if (octets === 0) return false;
  // A SYN is no data that Nagle's algorithm waits for.
  const { settings, sent } = block;
  const isAlone = settings.noDelay || flightOctets(block) === (sent.first?.isSyn === true ? 1 : 0);
  // Section 3.8.6.2.1 (3), with Nagle's condition in its brackets.
  if (!isAll) return isAlone && octets >= block.maxSndWnd / 2;
  if (block.isUrgent && seqDiff(block.sndUp, block.sndNxt) > 0) return true;
  if (block.hasMore || settings.cork) return false;
  return isAlone;
}

function sendPiece(block: ControlBlock, step: Step, { octets, isFin, mtuProbe }: Piece): void {
  block.recovery.rate.out += octets;
  const wasIdle = block.sent.count === 0;
  const record = leaves(block, step, {
    length: octets + (isFin ? 1 : 0),
    isSyn: false,
    isFin,
    isPushed: octets > 0 && octets === unsentOctets(block),
    mtuProbe,
  });
  // RFC 3168 section 6.1.6: what probes a shut window is not marked.
  emitRecord(block, step, record, block.sndWnd > 0);
  if (isFin) finSent(block, step);
  if (wasIdle || block.timers.retransmit === NEVER) armRetransmit(block, step.nowNs);
  block.timers.persist = NEVER;
  armTailLossProbe(block, step.nowNs);
  const left = block.congestion.cwnd - flightOctets(block);
  if (left < effectiveMss(block)) block.congestion.isLimiting = true;
}

function emitRecord(block: ControlBlock, step: Step, record: SentRecord, isNew: boolean): void {
  const octets = record.length - (record.isFin ? 1 : 0);
  const flags = FLAG.ACK | (record.isFin ? FLAG.FIN : 0) | (record.isPushed ? FLAG.PSH : 0);
  const payload = octets === 0 ? undefined : block.sendRing.view(seqDiff(record.seq, block.sendBase), octets);
  emit(block, step, {
    seq: record.seq,
    flags,
    isMarkable: isNew && octets > 0,
    ...(payload === undefined ? {} : { payload }),
  });
}

/** CLOSE of section 3.10.4, when its FIN leaves. */
function finSent(block: ControlBlock, step: Step): void {
  if (block.state === 'ESTABLISHED' || block.state === 'SYN-RECEIVED') enter(block, step, 'FIN-WAIT-1');
  else if (block.state === 'CLOSE-WAIT') enter(block, step, 'LAST-ACK');
}

/** The next segment of new data, whatever congestion control says: a tail loss probe. */
export function sendOne(block: ControlBlock, step: Step): void {
  const usable = seqDiff(seqAdd(block.sndUna, block.sndWnd), block.sndNxt);
  const octets = Math.min(unsentOctets(block), usable, payloadLimit(block, step.nowNs));
  if (octets > 0) sendPiece(block, step, { octets, isFin: false, mtuProbe: 0 });
}

/** Nothing is under way, and what is queued may not go: the window must be probed, or what holds it back ends. */
function armPersist(block: ControlBlock, step: Step): void {
  if (block.sent.count > 0) return;
  const waits = unsentOctets(block) > 0 || (block.isClosing && !isFinSent(block));
  if (!waits) block.timers.persist = NEVER;
  else if (block.timers.persist === NEVER)
    block.timers.persist = fromNow(step.nowNs, block.sndWnd === 0 ? undefined : OVERRIDE_MS, block);
}

/** The persist timer ran out: one octet into the shut window (section 3.8.6.1), or what the override time-out lets go. */
export function persist(block: ControlBlock, step: Step): void {
  block.timers.persist = NEVER;
  if (!mayTransmit(block) || block.sent.count > 0) return;
  const unsent = unsentOctets(block);
  const usable = block.sndWnd;
  const limit = payloadLimit(block, step.nowNs);
  const octets = usable > 0 ? Math.min(unsent, usable, limit) : Math.min(unsent, 1);
  const isFin =
    block.isClosing && !isFinSent(block) && octets === unsent && (usable > octets || unsent === 0);
  if (octets === 0 && !isFin) return;
  sendPiece(block, step, { octets, isFin, mtuProbe: 0 });
}
