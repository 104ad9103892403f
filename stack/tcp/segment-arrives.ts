/** SEGMENT ARRIVES, RFC 9293 section 3.10.7, in its order. */
import { FLAG, type Segment, seqAdd, seqGt, seqLeq, seqLt } from '../../harness/segment/index.js';
import { takeAck } from './acknowledge.js';
import { challenge } from './challenge.js';
import { checkSequence } from './check-sequence.js';
import type { ControlBlock } from './control-block.js';
import { resetFor, sendReset } from './emit.js';
import { failed, freed } from './end.js';
import { arrivesInClosed, arrivesInListen } from './no-connection.js';
import { begin, established } from './open.js';
import { userTimeoutMsOf } from './options.js';
import { takeFin, takeText, takeUrgent } from './receive-text.js';
import { receivesText } from './state.js';
import { enter, type Step } from './step.js';
import { arrivesInSynSent } from './syn-sent.js';
import { fromMs } from './time.js';
import { linger, lingerAnew, mayReopen } from './time-wait.js';
import { watchIdleness, watchPatience } from './timers.js';
import { isFinSent, transmit } from './transmit.js';

/** `isListened`: somebody would take a SYN that may end TIME-WAIT. */
export function segmentArrives(block: ControlBlock, step: Step, segment: Segment, isListened = true): void {
  block.counts.segmentsIn += 1;
  arrives(block, step, segment, isListened);
  if (block.state === 'CLOSED' || block.state === 'LISTEN') return;
  transmit(block, step);
  watchPatience(block, step.nowNs);
  watchIdleness(block);
}

function arrives(block: ControlBlock, step: Step, segment: Segment, isListened: boolean): void {
  switch (block.state) {
    case 'CLOSED':
      arrivesInClosed(block, step, segment);
      return;
    case 'LISTEN':
      arrivesInListen(block, step, segment);
      return;
    case 'SYN-SENT':
      arrivesInSynSent(block, step, segment);
      return;
    default:
      arrivesOtherwise(block, step, segment, isListened);
  }
}

/** Section 3.10.7.4. Each step says whether the next one follows. */
function arrivesOtherwise(block: ControlBlock, step: Step, arrived: Segment, isListened: boolean): void {
  if (block.state === 'TIME-WAIT' && isListened && mayReopen(block, arrived)) {
    step.notices.push({ kind: 'reincarnation', sndNxt: block.sndNxt });
    freed(block, step);
    return;
  }
  // First, check the sequence number.
  const segment = checkSequence(block, step, arrived);
  if (segment === undefined) return;
  block.lastReceivedNs = step.nowNs;
  block.keepAlives = 0;
  // Second, check the RST bit.
  if ((segment.flags & FLAG.RST) !== 0) {
    checkReset(block, step, segment);
    return;
  }
  // Third, check security: there are no compartments here.
  // Fourth, check the SYN bit.
  if ((segment.flags & FLAG.SYN) !== 0) {
    checkSyn(block, step, segment);
    return;
  }
  // Fifth, check the ACK field.
  if ((segment.flags & FLAG.ACK) === 0 || !checkAck(block, step, segment)) return;
  heedMarks(block, segment);
  // Sixth, check the URG bit.
  takeUrgent(block, step, segment);
  // Seventh, process the segment text.
  if (isNoLongerWanted(block, segment)) {
    abandon(block, step);
    return;
  }
  takeText(block, step, segment);
  // Eighth, check the FIN bit.
  takeFin(block, step, segment);
}

/** RFC 9293 section 3.10.7.4, second; RFC 5961 section 3: only a RST at exactly RCV.NXT is believed. */
function checkReset(block: ControlBlock, step: Step, { seq }: Segment): void {
  if (block.settings.resetProfile === 'rfc5961' && seq !== block.rcvNxt) {
    challenge(block, step);
    return;
  }
  switch (block.state) {
    case 'SYN-RECEIVED':
      // "If this connection was initiated with a passive OPEN, then return this connection to LISTEN. The user need not be informed."
      if (block.isActive) failed(block, step, 'ECONNREFUSED');
      // With Fast Open the program has it already (RFC 7413 section 4.2).
      else if (block.isFastOpened) failed(block, step, 'ECONNRESET');
      else freed(block, step);
      return;
    case 'TIME-WAIT':
      // RFC 1337: an old RST must not end it.
      if (!block.settings.timeWaitIgnoresReset) freed(block, step);
      return;
    case 'CLOSING':
    case 'LAST-ACK':
      freed(block, step);
      return;
    default:
      failed(block, step, 'ECONNRESET');
  }
}

/** Fourth; RFC 5961 section 4: a SYN in the window is answered with a challenge ACK, whatever its number. */
function checkSyn(block: ControlBlock, step: Step, { seq }: Segment): void {
  // "… trimming off any portions that lie outside the window (including SYN and FIN)": one that lies before it has come late, with
  // data behind it (RFC 7413), and opens nothing.
  const isOld = seqLt(seq, block.rcvNxt);
  if (!isOld && block.state === 'SYN-RECEIVED' && !block.isActive && !block.isFastOpened) {
    freed(block, step);
    return;
  }
  if (isOld || block.settings.resetProfile === 'rfc5961') {
    challenge(block, step);
    return;
  }
  sendReset(block, step);
  failed(block, step, 'ECONNRESET');
}

function checkAck(block: ControlBlock, step: Step, segment: Segment): boolean {
  const { ack } = segment;
  if (block.state === 'SYN-RECEIVED') {
    // "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED; if not acceptable, form a reset <SEQ=SEG.ACK><CTL=RST>."
    if (!seqLt(block.sndUna, ack) || !seqLeq(ack, block.sndNxt)) {
      const reset = resetFor(segment, block.settings.hopLimit);
      if (reset !== undefined) step.segments.push(reset);
      return false;
    }
    // SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK
    block.sndWl1 = segment.seq;
    block.sndWl2 = ack;
    takeAck(block, step, segment);
    established(block, step);
    return true;
  }
  if (seqGt(ack, block.sndNxt)) {
    // "If the ACK acks something not yet sent, then send an ACK, drop the segment": RFC 5961 section 5 counts it.
    challenge(block, step);
    return false;
  }
  if (block.settings.resetProfile === 'rfc5961' && isTooOld(block, segment)) {
    challenge(block, step);
    return false;
  }
  const isOpening = isSynSent(block);
  takeAck(block, step, segment);
  // It was closed before its SYN was acknowledged (section 3.10.4, SYN-RECEIVED).
  if (isOpening && !isSynSent(block)) begin(block);
  return afterAck(block, step, segment);
}

const isSynSent = ({ sent }: ControlBlock): boolean => sent.first?.isSyn === true;

/** RFC 5961 section 5.2: an ACK below SND.UNA - MAX.SND.WND is nobody's who took part. */
const isTooOld = ({ sndUna, maxSndWnd }: ControlBlock, { ack }: Segment): boolean =>
  ((sndUna - ack) | 0) > Math.max(maxSndWnd, 1);

/** What else the states that have sent a FIN do with an ACK. */
function afterAck(block: ControlBlock, step: Step, segment: Segment): boolean {
  const isFinAcknowledged = isFinSent(block) && block.sndUna === block.sndNxt;
  switch (block.state) {
    case 'FIN-WAIT-1':
      // "if the FIN segment is now acknowledged, then enter FIN-WAIT-2 and continue processing in that state."
      if (isFinAcknowledged) {
        enter(block, step, 'FIN-WAIT-2');
        limitFinWait2(block, step);
      }
      return true;
    case 'CLOSING':
      if (isFinAcknowledged) linger(block, step);
      return isFinAcknowledged;
    case 'LAST-ACK':
      if (isFinAcknowledged) freed(block, step);
      return !isFinAcknowledged;
    case 'TIME-WAIT':
      if ((segment.flags & FLAG.FIN) !== 0) {
        block.ackOwed = 'now';
        lingerAnew(block, step);
      }
      return false;
    default:
      return true;
  }
}

/** Nobody will read what may still come: the connection waits for the other side's FIN for a while only. */
export function limitFinWait2(block: ControlBlock, step: Step): void {
  if (!block.isHeld) block.timers.linger = step.nowNs + fromMs(block.settings.finWait2Ms);
}

/** RFC 3168 section 6.1.3: a mark is echoed until CWR comes. RFC 5482: the other side may change its user timeout. */
function heedMarks(block: ControlBlock, { ip, flags, options }: Segment): void {
  if (block.hasEcn) {
    if ((flags & FLAG.CWR) !== 0) block.echoesCongestion = false;
    if ((ip.trafficClass & 0b11) === 0b11) block.echoesCongestion = true;
  }
  if (!block.settings.userTimeoutOption) return;
  // RFC 5482 section 3: zero is reserved.
  for (const option of options)
    if (option.kind === 'userTimeout' && option.timeout > 0)
      block.peerUserTimeoutMs = userTimeoutMsOf(option);
}

/** RFC 9293 section 3.6.1 (SHLD-3): data for a program that has closed and is gone: it must learn that it was lost. */
const isNoLongerWanted = (block: ControlBlock, { seq, payload }: Segment): boolean =>
  !block.isHeld &&
  receivesText(block.state) &&
  payload.length > 0 &&
  seqGt(seqAdd(seq, payload.length), block.rcvNxt);

function abandon(block: ControlBlock, step: Step): void {
  sendReset(block, step);
  freed(block, step);
}
