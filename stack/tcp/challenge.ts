/** Challenge ACKs (RFC 5961), and how many of them a connection sends. */
import type { ControlBlock } from './control-block.js';
import { sendAck } from './emit.js';
import type { Step } from './step.js';
import { fromMs } from './time.js';

const ROUND_NS = fromMs(5000);

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, unless there were too many lately (section 7). */
export function challenge(block: ControlBlock, step: Step): void {
  if (step.nowNs - block.challengeRoundNs >= ROUND_NS) {
    block.challengeRoundNs = step.nowNs;
    block.challengeAcks = 0;
  }
  if (block.challengeAcks >= block.settings.challengeAcksPer5s) return;
  block.challengeAcks += 1;
  sendAck(block, step);
}
