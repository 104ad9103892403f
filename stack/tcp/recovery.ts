/** Into loss recovery, through it, and out: fast recovery with SACK (RFC 6675 on RACK's marks, RFC 9937's rate) and without (RFC 6582), and time-outs. */
import { seqGeq, seqGt } from '../../harness/segment/index.js';
import { collapseWindow, noteReduction, reduceThreshold } from './congestion/congestion-control.js';
import { beginRate } from './congestion/proportional-rate.js';
import type { ControlBlock } from './control-block.js';
import { mtuProbeLost } from './path-mtu.js';
import { rackRecovered } from './rack.js';
import { effectiveMss, flightOctets } from './sizes.js';
import { type Nanos, NEVER } from './time.js';
import { markLost } from './transmit.js';

const DUP_THRESH = 3;

/** Something was found lost: the window is reduced once for all that is under way. */
export function beginFastRecovery(block: ControlBlock): void {
  if (block.recovery.kind !== 'none') return;
  reduceThreshold(block);
  block.congestion.cwnd = block.congestion.ssthresh;
  block.recovery.kind = 'fast';
  block.recovery.point = block.sndNxt;
  block.recovery.owesRepeat = true;
  block.recovery.rate = beginRate(block);
  noteReduction(block);
}

/** RFC 5681 section 3.2 and RFC 3042, where the other side does not tell what it has. */
export function duplicateAck(block: ControlBlock, nowNs: Nanos): void {
  const { recovery, sent } = block;
  const mss = effectiveMss(block);
  const first = sent.first;
  recovery.duplicateAcks += 1;
  // Something has left the network. After a time-out that is of what was sent before it (RFC 6582 section 3.2 step 4).
  if (recovery.kind === 'fast' || (recovery.kind === 'none' && recovery.duplicateAcks < DUP_THRESH))
    recovery.inflation += mss;
  if (recovery.duplicateAcks !== DUP_THRESH || recovery.kind !== 'none' || first === undefined) return;
  // Step 2: not for what was sent before the last recovery.
  if (!seqGt(block.sndUna, recovery.point)) return;
  if (first.mtuProbe > 0) {
    // RFC 4821 section 7.6.2: too big it was, and says nothing of the network.
    mtuProbeLost(block, first, nowNs);
    recovery.owesRepeat = true;
  } else {
    beginFastRecovery(block);
    recovery.inflation = DUP_THRESH * mss;
  }
  markLost(block, first);
}

/** Something new was acknowledged while recovering. */
export function recoveryAdvanced(block: ControlBlock, ackedOctets: number): void {
  const { recovery, congestion } = block;
  recovery.duplicateAcks = 0;
  if (seqGeq(block.sndUna, recovery.point)) {
    if (recovery.kind === 'fast') {
      // RFC 9937 section 6.2 with SACK; without, RFC 6582 section 3.2 step 3, full acknowledgment (1): no burst.
      const mss = effectiveMss(block);
      const most = block.hasSack ? Number.POSITIVE_INFINITY : Math.max(flightOctets(block), mss) + mss;
      congestion.cwnd = Math.min(congestion.ssthresh, most);
    }
    rackRecovered(block);
    recovery.kind = 'none';
    recovery.inflation = 0;
    return;
  }
  if (recovery.kind !== 'fast' || block.hasSack) {
    recovery.inflation = 0;
    return;
  }
  // Partial acknowledgment: the next hole is at SND.UNA; the window deflates by what has left the network.
  const first = block.sent.first;
  if (first !== undefined) markLost(block, first);
  recovery.owesRepeat = true;
  recovery.inflation = Math.max(recovery.inflation - ackedOctets + effectiveMss(block), 0);
}

/** RFC 6298 section 5 and RFC 5681 section 3.1: all that is under way is taken for lost, and the window is one segment. */
export function timedOut(block: ControlBlock, nowNs: Nanos): void {
  const { recovery, sent } = block;
  // Equation (4) once for one loss: not for a segment that times out again.
  if (recovery.kind !== 'timeout' || block.retries === 0) reduceThreshold(block);
  recovery.kind = 'timeout';
  recovery.point = block.sndNxt;
  recovery.duplicateAcks = 0;
  recovery.inflation = 0;
  for (let i = 0; i < sent.count; i += 1) {
    const record = sent.at(i);
    if (record === undefined) continue;
    // RFC 2018 section 8: the other side may have gone back on what it said it has.
    if (record.isSacked) {
      record.isSacked = false;
      recovery.marked -= 1;
    }
    markLost(block, record);
    if (record.mtuProbe > 0) mtuProbeLost(block, record, nowNs);
  }
  collapseWindow(block);
  block.tail.isUnderway = false;
  block.timers.tailLossProbe = NEVER;
  block.timers.reorder = NEVER;
}

/** A later path is smaller: what was too big goes again, and nothing says that the network is full (RFC 1191 section 6.5). */
export function resendTooBig(block: ControlBlock): void {
  const limit = effectiveMss(block);
  for (let i = 0; i < block.sent.count; i += 1) {
    const record = block.sent.at(i);
    if (record !== undefined && record.length > limit && !record.isSacked) markLost(block, record);
  }
}
