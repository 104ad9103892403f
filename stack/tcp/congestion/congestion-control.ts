/** How much may be under way: slow start, congestion avoidance, and what losses and marks take away (RFC 5681, 9438, 3168). */
import type { ControlBlock } from '../control-block.js';
import { effectiveMss, flightOctets } from '../sizes.js';
import type { Nanos } from '../time.js';
import type { CongestionState } from './congestion-state.js';
import { cubicThreshold, growByCubic, noCubic, pauseCubic } from './cubic.js';
import { growByNewReno, newRenoThreshold } from './new-reno.js';

/** RFC 6928 section 2. */
export const initialWindow = (segments: number, mss: number): number =>
  Math.min(segments * mss, Math.max(2 * mss, Math.ceil((segments * 14_600) / 10)));

export const initialCongestion = (segments: number, mss: number): CongestionState => ({
  cwnd: initialWindow(segments, mss),
  ssthresh: Number.POSITIVE_INFINITY,
  acknowledged: 0,
  isLimiting: false,
  cubic: noCubic(),
});

/** New data was acknowledged, outside of loss recovery. */
export function growWindow(block: ControlBlock, ackedOctets: number, nowNs: Nanos): void {
  const { congestion } = block;
  // A window that nobody fills says nothing about the path.
  if (!congestion.isLimiting) {
    pauseCubic(congestion, nowNs);
    return;
  }
  congestion.isLimiting = false;
  const mss = effectiveMss(block);
  if (congestion.cwnd < congestion.ssthresh) {
    // RFC 5681 equation (2), with the limit of RFC 3465 section 2.2 for delayed ACKs.
    congestion.cwnd += Math.min(ackedOctets, 2 * mss);
    return;
  }
  if (block.settings.congestionControl === 'newreno') growByNewReno(congestion, ackedOctets, mss);
  else growByCubic(congestion, { ackedOctets, mss, srttNs: block.rtt.srttNs, nowNs });
}

/** A loss or a mark: the threshold that follows from it. */
export function reduceThreshold(block: ControlBlock): void {
  const { congestion } = block;
  const mss = effectiveMss(block);
  // RFC 5681 section 3.2: what limited transmit has sent beyond the window does not count.
  const isAnew = block.recovery.kind === 'none';
  const flight = isAnew ? Math.min(flightOctets(block), congestion.cwnd) : flightOctets(block);
  congestion.acknowledged = 0;
  congestion.ssthresh =
    block.settings.congestionControl === 'newreno'
      ? newRenoThreshold(flight, mss)
      : cubicThreshold(congestion, flight, mss);
}

/** RFC 3168 section 6.1.2: after each reduction, whatever its reason, CWR; and what comes of the same window reduces no more. */
export function noteReduction(block: ControlBlock): void {
  if (!block.hasEcn) return;
  block.cwrPoint = block.sndNxt;
  block.owesCwr = true;
}

/** ECN-Echo (RFC 3168 section 6.1.2): as a loss, once in a window, and nothing is sent again. */
export function reduceForMark(block: ControlBlock): void {
  reduceThreshold(block);
  block.congestion.cwnd = block.congestion.ssthresh;
  noteReduction(block);
}

/** The window after a time-out (RFC 5681 section 3.1): one segment. */
export function collapseWindow(block: ControlBlock): void {
  const { congestion } = block;
  congestion.cwnd = effectiveMss(block);
  // RFC 9438 section 4.8: the avoidance that follows begins at a plateau of its own, K = 0.
  congestion.cubic.wMax = 0;
  noteReduction(block);
}

/** RFC 5681 section 4.1: who was silent for an RTO begins again with the restart window. */
export function restartAfterIdle(block: ControlBlock, nowNs: Nanos): void {
  if (flightOctets(block) > 0) return;
  pauseCubic(block.congestion, nowNs);
  if (nowNs - block.lastSentNs <= block.rtt.rtoNs) return;
  const restart = initialWindow(block.settings.initialWindowSegments, effectiveMss(block));
  block.congestion.cwnd = Math.min(restart, block.congestion.cwnd);
}
