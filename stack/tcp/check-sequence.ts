/** First step of SEGMENT ARRIVES (RFC 9293 section 3.10.7.4): is anything of the segment in the window, and is it no old duplicate? */
import {
  FLAG,
  isAcceptable,
  option,
  type Segment,
  segLen,
  seqAdd,
  seqLeq,
  type TcpOption,
} from '../../harness/segment/index.js';
import { challenge } from './challenge.js';
import type { ControlBlock } from './control-block.js';
import { sendAck } from './emit.js';
import { rcvWnd } from './receive-window.js';
import type { Step } from './step.js';
import { fromMs } from './time.js';
import { lingerAnew } from './time-wait.js';
import { repeat } from './transmit.js';

/** RFC 7323 section 5.5: a timestamp that is older than 24 days says nothing. */
const TIMESTAMP_OUTDATED_NS = fromMs(24 * 86_400_000);

/** The segment to be processed further, which may have lost its SYN; undefined: it was answered or dropped. */
export function checkSequence(block: ControlBlock, step: Step, arrived: Segment): Segment | undefined {
  const segment = block.sent.first?.isSyn === true ? withoutOwnSyn(block, step, arrived) : arrived;
  if (segment === undefined) return undefined;
  const { seq } = segment;
  const isReset = (segment.flags & FLAG.RST) !== 0;
  const timestamps = block.hasTimestamps ? option(segment, 'timestamps') : undefined;
  // RFC 7323 section 3.2: without the option that was agreed on it is dropped, without an answer.
  if (block.hasTimestamps && timestamps === undefined && !isReset) return undefined;
  const length = segLen(segment);
  const isOldByTime = timestamps !== undefined && !isReset && isOlder(block, timestamps, step);
  const window = rcvWnd(block);
  // "If the RCV.WND is zero, … special allowance should be made to accept valid ACKs, URGs, and RSTs."
  // What fills the window has its end for SND.NXT: an ACK from there is no less valid, and has no data to be refused.
  const isAtEdge = length === 0 && seq === block.rcvEdge && !isReset;
  const isIn =
    isAtEdge ||
    (window === 0 && isAllowedAtShutWindow(block, segment, length)) ||
    isAcceptable({ seq, segLen: length }, { rcvNxt: block.rcvNxt, rcvWnd: window });
  if (isIn && !isOldByTime) {
    if (timestamps !== undefined && seqLeq(seq, block.lastAckSent)) remember(block, timestamps, step);
    return segment;
  }
  if (!isReset) unacceptable(block, step, segment, length);
  return undefined;
}

/** What lies at RCV.NXT, and the ACK of somebody whose probe of one octet has taken that number. Text and FIN will not be taken. */
function isAllowedAtShutWindow({ rcvNxt }: ControlBlock, { seq, flags }: Segment, length: number): boolean {
  if ((flags & FLAG.SYN) !== 0) return false;
  return seq === rcvNxt || (length === 0 && (flags & FLAG.RST) === 0 && seq === seqAdd(rcvNxt, 1));
}

/** PAWS, RFC 7323 section 5.3 R1. */
const isOlder = (block: ControlBlock, { tsVal }: Timestamps, { nowNs }: Step): boolean =>
  ((tsVal - block.tsRecent) | 0) < 0 && nowNs - block.tsRecentNs < TIMESTAMP_OUTDATED_NS;

type Timestamps = Extract<TcpOption, { kind: 'timestamps' }>;

/** Section 4.3: TS.Recent is of the segment that the last ACK sent waited for. */
function remember(block: ControlBlock, { tsVal }: Timestamps, { nowNs }: Step): void {
  if (((tsVal - block.tsRecent) | 0) < 0 && nowNs - block.tsRecentNs < TIMESTAMP_OUTDATED_NS) return;
  block.tsRecent = tsVal;
  block.tsRecentNs = nowNs;
}

/**
 * A SYN at IRS is the one that brought SYN-RECEIVED about. Alone it came again, for the SYN,ACK was lost: that is sent again. With an ACK
 * it is the other half of a simultaneous opening (section 3.5, figure 8), and counts as a segment behind the SYN.
 */
function withoutOwnSyn(block: ControlBlock, step: Step, segment: Segment): Segment | undefined {
  const { flags, seq } = segment;
  if ((flags & (FLAG.SYN | FLAG.RST)) !== FLAG.SYN || seq !== block.irs) return segment;
  // Its window is not scaled (RFC 7323 section 2.2): it is put as one that is would be, rounded down.
  const window = segment.window >> block.sndWndShift;
  if ((flags & FLAG.ACK) !== 0) return { ...segment, seq: seqAdd(seq, 1), flags: flags & ~FLAG.SYN, window };
  // RFC 7323 section 4.3: what is echoed is of the SYN that came last, or the other side would measure how long it waited.
  const timestamps = block.hasTimestamps ? option(segment, 'timestamps') : undefined;
  if (timestamps !== undefined) remember(block, timestamps, step);
  // Counted as a challenge is: a flood of one SYN must not become a flood of SYN,ACKs.
  if (block.sent.first?.isSyn === true && step.nowNs > (block.sent.first?.sentNs ?? 0))
    repeat(block, step, 0);
  return undefined;
}

/** "If an incoming segment is not acceptable, an acknowledgment should be sent in reply: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>" */
function unacceptable(block: ControlBlock, step: Step, segment: Segment, length: number): void {
  const end = seqAdd(segment.seq, length);
  if (block.state === 'TIME-WAIT' && (segment.flags & FLAG.FIN) !== 0 && end === block.rcvNxt) {
    // "The only thing that can arrive in this state is a retransmission of the remote FIN."
    lingerAnew(block, step);
    sendAck(block, step);
    return;
  }
  if (segment.payload.length > 0) {
    block.counts.duplicates += 1;
    const dataEnd = seqAdd(segment.seq, segment.payload.length);
    if (block.hasSack && seqLeq(dataEnd, block.rcvNxt)) block.dsack = { left: segment.seq, right: dataEnd };
  }
  // What takes no number, or claims a SYN, may be answered without end by a stack that is as puzzled: it is counted.
  if (length === 0 || (segment.flags & FLAG.SYN) !== 0) challenge(block, step);
  else sendAck(block, step);
}
