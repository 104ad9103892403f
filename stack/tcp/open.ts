/** OPEN (RFC 9293 section 3.10.1), active and passive, and what the options of both SYNs agree on. */
import { FLAG, type Segment, seqAdd } from '../../harness/segment/index.js';
import { initialCongestion } from './congestion/congestion-control.js';
import type { ControlBlock } from './control-block.js';
import { emitSyn } from './emit.js';
import { readSynOptions, type SynOptions } from './options.js';
import { beginMtuSearch, leastMtu } from './path-mtu.js';
import { takeText } from './receive-text.js';
import { scaleFor } from './receive-window.js';
import { synWasRepeated } from './round-trip.js';
import { effectiveMss, TCP_HEADER_OCTETS } from './sizes.js';
import { enter, type Step } from './step.js';
import { armRetransmit, watchPatience } from './timers.js';
import { leaves } from './transmit.js';

/** Active OPEN: <SEQ=ISS><CTL=SYN>, and SYN-SENT. What was given to SEND already may travel on it where there is a Fast Open cookie. */
export function openActive(block: ControlBlock, step: Step): void {
  enter(block, step, 'SYN-SENT');
  leaves(block, step, SYN);
  const octets = synDataOctets(block);
  const payload = octets > 0 ? block.sendRing.read(0, octets) : undefined;
  emitSyn(block, step, payload);
  if (octets > 0) leaves(block, step, { ...PLAIN, length: octets, isPushed: true });
  armRetransmit(block, step.nowNs);
  watchPatience(block, step.nowNs);
}

/** RFC 7413 section 4.2.1: only with a cookie, and not more than the default MSS leaves room for. */
function synDataOctets(block: ControlBlock): number {
  if ((block.fastOpenCookie?.length ?? 0) === 0) return 0;
  const room = leastMtu(block) - block.ipHeaderOctets - TCP_HEADER_OCTETS - 40;
  return Math.min(block.sendOctets, room);
}

const PLAIN = { length: 1, isSyn: false, isFin: false, isPushed: false, mtuProbe: 0 };
const SYN = { ...PLAIN, isSyn: true };

/** Third step of LISTEN (section 3.10.7.2): a SYN came. <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, and SYN-RECEIVED. */
export function openPassive(block: ControlBlock, step: Step, segment: Segment, takesData = false): void {
  takeSyn(block, step, segment);
  enter(block, step, 'SYN-RECEIVED');
  // "Any other incoming control or data (combined with SYN) will be processed in the SYN-RECEIVED state": with Fast Open, now.
  if (takesData) {
    block.isFastOpened = true;
    takeText(block, step, { ...segment, seq: block.rcvNxt });
  }
  leaves(block, step, SYN);
  emitSyn(block, step);
  armRetransmit(block, step.nowNs);
  watchPatience(block, step.nowNs);
}

/** RCV.NXT is set to SEG.SEQ+1, IRS to SEG.SEQ, and the options say what will be in force. */
export function takeSyn(block: ControlBlock, step: Step, segment: Segment): void {
  const options = readSynOptions(segment);
  block.irs = segment.seq;
  block.rcvNxt = seqAdd(segment.seq, 1);
  block.rcvEdge = seqAdd(block.rcvNxt, Math.min(block.settings.receiveBufferOctets, 0xffff));
  block.rcvUp = block.rcvNxt;
  block.lastAckSent = block.rcvNxt;
  // The window of a SYN is never scaled (RFC 7323 section 2.2).
  block.sndWnd = segment.window;
  block.maxSndWnd = segment.window;
  block.sndWl1 = segment.seq;
  block.sndWl2 = segment.ack;
  agree(block, step, options, (segment.flags & FLAG.ACK) !== 0);
}

function agree(block: ControlBlock, step: Step, options: SynOptions, isSynAck: boolean): void {
  const { settings } = block;
  // RFC 9293 section 3.7.1; an MSS that leaves no room is no MSS.
  if (options.mss !== undefined && options.mss > 0) block.peerMss = Math.max(options.mss, 48);
  block.hasSack = settings.sack && options.sackPermitted;
  block.hasWindowScale = settings.windowScale && options.windowShift !== undefined;
  block.sndWndShift = block.hasWindowScale ? (options.windowShift ?? 0) : 0;
  block.rcvWndShift = block.hasWindowScale ? scaleFor(settings.receiveBufferOctets) : 0;
  block.hasTimestamps = settings.timestamps && options.timestamps !== undefined;
  if (options.timestamps !== undefined) {
    block.tsRecent = options.timestamps.tsVal;
    block.tsRecentNs = step.nowNs;
  }
  // RFC 3168 section 6.1.1: not by who has sent a SYN that did not ask.
  const hasAsked = settings.ecn === 'ask' && block.counts.timeouts === 0;
  block.hasEcn = options.ecn && (isSynAck ? hasAsked : settings.ecn !== 'off');
  if (settings.userTimeoutOption && (options.userTimeoutMs ?? 0) > 0)
    block.peerUserTimeoutMs = options.userTimeoutMs ?? 0;
  block.rcvMss = Math.min(block.ownMss, 536);
}

/** Both SYNs are acknowledged: ESTABLISHED. */
export function established(block: ControlBlock, step: Step): void {
  enter(block, step, 'ESTABLISHED');
  block.fastOpenCookie = undefined;
  begin(block);
  if (block.counts.timeouts > 0) synWasRepeated(block);
  step.notices.push({ kind: 'established' });
}

/** What is chosen when the segment size is known. RFC 5681 section 3.1: who lost a SYN begins with one segment. */
export function begin(block: ControlBlock): void {
  const segments = block.counts.timeouts > 0 ? 1 : block.settings.initialWindowSegments;
  block.congestion = initialCongestion(segments, effectiveMss(block));
  // A SYN that was lost says nothing of the data behind it.
  block.recovery.point = block.iss;
  beginMtuSearch(block);
}
