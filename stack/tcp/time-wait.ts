/** TIME-WAIT: 2 MSL, begun anew by each FIN that comes again, and ended early by a SYN that cannot be old (RFC 6191). */
import { FLAG, option, type Segment, seqGeq } from '../../harness/segment/index.js';
import { type ControlBlock, noTimers } from './control-block.js';
import { OctetRing } from './octet-ring.js';
import { SentList } from './sent-list.js';
import { enter, type Step } from './step.js';
import { fromMs } from './time.js';

/** "start the time-wait timer, turn off the other timers" */
export function linger(block: ControlBlock, step: Step): void {
  enter(block, step, 'TIME-WAIT');
  block.timers = { ...noTimers(), delayedAck: block.timers.delayedAck };
  block.sent = new SentList();
  if (block.receiveOctets === 0) block.receiveRing = new OctetRing();
  block.timers.linger = step.nowNs + fromMs(2 * block.settings.mslMs);
}

/** "Acknowledge it, and restart the 2 MSL timeout." */
export function lingerAnew(block: ControlBlock, step: Step): void {
  block.timers.linger = step.nowNs + fromMs(2 * block.settings.mslMs);
  step.notices.push({ kind: 'lingers' });
}

/** RFC 6191 section 2 and RFC 9293 MAY-2: a SYN that is younger than all of the connection by its timestamp, or by its number. */
export function mayReopen(block: ControlBlock, segment: Segment): boolean {
  const { flags, seq } = segment;
  if (!block.settings.timeWaitReuse || (flags & (FLAG.SYN | FLAG.ACK | FLAG.RST)) !== FLAG.SYN) return false;
  const timestamps = block.settings.timestamps ? option(segment, 'timestamps') : undefined;
  if (timestamps !== undefined) {
    // Its timestamps may be older than those of no other segment: there were none.
    if (!block.hasTimestamps) return true;
    const newerBy = (timestamps.tsVal - block.tsRecent) | 0;
    if (newerBy !== 0) return newerBy > 0;
  }
  // "larger than the largest sequence number it used", which was its FIN's.
  return seqGeq(seq, block.rcvNxt);
}
