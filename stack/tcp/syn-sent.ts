/** SEGMENT ARRIVES in SYN-SENT, RFC 9293 section 3.10.7.3. */
import { FLAG, type Segment, seqAdd, seqGt, seqLeq, seqLt } from '../../harness/segment/index.js';
import { takeAck } from './acknowledge.js';
import type { ControlBlock } from './control-block.js';
import { emitSyn, resetFor } from './emit.js';
import { failed } from './end.js';
import { established, takeSyn } from './open.js';
import { takeFin, takeText, takeUrgent } from './receive-text.js';
import { enter, type Step } from './step.js';
import { fromMs } from './time.js';
import { armRetransmit } from './timers.js';
import { markLost } from './transmit.js';

export function arrivesInSynSent(block: ControlBlock, step: Step, segment: Segment): void {
  const { flags, ack } = segment;
  const hasAck = (flags & FLAG.ACK) !== 0;
  // First, check the ACK bit: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set)".
  if (hasAck && (seqLeq(ack, block.iss) || seqGt(ack, block.sndNxt))) {
    const reset = resetFor(segment, block.settings.hopLimit);
    if (reset !== undefined) step.segments.push(reset);
    return;
  }
  // Second, check the RST bit: believed only when its ACK is acceptable (RFC 5961 section 3).
  if ((flags & FLAG.RST) !== 0) {
    if (hasAck) failed(block, step, 'ECONNREFUSED');
    return;
  }
  // Third, check security. Fourth, check the SYN bit. Fifth: "if neither of the SYN or RST bits is set, then drop the segment".
  if ((flags & FLAG.SYN) === 0) return;
  block.lastReceivedNs = step.nowNs;
  takeSyn(block, step, segment);
  if (hasAck) isAnswered(block, step, segment);
  else {
    // Both open at once: "enter SYN-RECEIVED, form a SYN,ACK segment <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>".
    enter(block, step, 'SYN-RECEIVED');
    block.fastOpenCookie = undefined;
    emitSyn(block, step);
    armRetransmit(block, step.nowNs);
  }
}

/** "SND.UNA > ISS (our SYN has been ACKed), change the connection state to ESTABLISHED, form an ACK segment". */
function isAnswered(block: ControlBlock, step: Step, segment: Segment): void {
  takeAck(block, step, segment);
  established(block, step);
  // Fast Open: what the other side did not take of the SYN's data goes again at once (RFC 7413 section 4.2.2).
  const rest = block.sent.first;
  if (rest !== undefined && seqLt(block.sndUna, block.sndNxt)) {
    markLost(block, rest);
    block.recovery.point = block.sndNxt;
  }
  const { handshakeAckDelayMs } = block.settings;
  if (handshakeAckDelayMs > 0) {
    block.ackOwed = 'delayed';
    block.timers.delayedAck = step.nowNs + fromMs(handshakeAckDelayMs);
  } else block.ackOwed = 'now';
  // "If there are other controls or text in the segment, then continue processing at the sixth step".
  const rest6 = { ...segment, seq: seqAdd(segment.seq, 1), flags: flags(segment) };
  takeUrgent(block, step, rest6);
  takeText(block, step, rest6);
  takeFin(block, step, rest6);
}

const flags = (segment: Segment): number => segment.flags & ~FLAG.SYN;
