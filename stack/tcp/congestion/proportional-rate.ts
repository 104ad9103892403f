/** Proportional Rate Reduction, RFC 9937: how much may be sent during fast recovery for what is delivered, so that the window comes down to ssthresh evenly. */
import type { ControlBlock } from '../control-block.js';
import { effectiveMss, flightOctets, pipeOctets } from '../sizes.js';

export interface ProportionalRate {
  /** prr_delivered: octets delivered during this recovery. */
  delivered: number;
  /** prr_out: octets sent during it. */
  out: number;
  /** RecoverFS: what was under way when it began. */
  recoverFs: number;
}

export const noRate = (): ProportionalRate => ({ delivered: 0, out: 0, recoverFs: 0 });

export const beginRate = (block: ControlBlock): ProportionalRate => ({
  delivered: 0,
  out: 0,
  recoverFs: Math.max(flightOctets(block), 1),
});

/** Section 6.2, on each ACK. `isSafe`: it acknowledges something new and shows no further loss. */
export function paceRecovery(block: ControlBlock, deliveredOctets: number, isSafe: boolean): void {
  const { recovery, congestion } = block;
  const { rate } = recovery;
  if (deliveredOctets === 0 && rate.delivered > 0) return;
  rate.delivered += deliveredOctets;
  const pipe = pipeOctets(block);
  const mss = effectiveMss(block);
  let count: number;
  if (pipe > congestion.ssthresh)
    count = Math.ceil((rate.delivered * congestion.ssthresh) / rate.recoverFs) - rate.out;
  else {
    count = Math.max(rate.delivered - rate.out, deliveredOctets) + (isSafe ? mss : 0);
    count = Math.min(congestion.ssthresh - pipe, count);
  }
  // "Force a fast retransmit upon entering recovery."
  if (rate.out === 0) count = Math.max(count, mss);
  congestion.cwnd = Math.max(pipe + Math.max(count, 0), mss);
}
