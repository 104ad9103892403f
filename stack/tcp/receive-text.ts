/** Sixth to eighth step of SEGMENT ARRIVES (RFC 9293 section 3.10.7.4): URG, the text, and FIN. */
import {
  FLAG,
  type Segment,
  type SeqNumber,
  seqAdd,
  seqDiff,
  seqGeq,
  seqGt,
  seqLeq,
  seqLt,
} from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import { rememberBlock } from './options.js';
import { receivesText } from './state.js';
import { enter, type Step } from './step.js';
import { fromMs, NEVER } from './time.js';
import { linger } from './time-wait.js';

/** Pieces that are kept apart: who sends single octets far apart must not make every step long. */
const MOST_PIECES = 64;

/** Sixth, check the URG bit: RCV.UP <- max(RCV.UP,SEG.UP), and the program is told. */
export function takeUrgent(block: ControlBlock, step: Step, { flags, seq, urgentPointer }: Segment): void {
  if ((flags & FLAG.URG) === 0 || !receivesText(block.state)) return;
  // RFC 6093 section 4: the pointer is of the octet behind the urgent data.
  const up = seqAdd(seq, urgentPointer);
  if (!seqGt(up, block.isUrgentReceived ? block.rcvUp : block.rcvNxt)) return;
  block.rcvUp = up;
  block.isUrgentReceived = true;
  step.notices.push({ kind: 'urgent' });
}

/** RFC 7413 section 4.1.2: with a good cookie already in SYN-RECEIVED. */
const takesText = ({ state, isFastOpened }: ControlBlock): boolean =>
  receivesText(state) || (isFastOpened && state === 'SYN-RECEIVED');

/** Seventh, process the segment text. */
export function takeText(block: ControlBlock, step: Step, segment: Segment): void {
  if (segment.payload.length === 0 || !takesText(block)) return;
  block.rcvMss = Math.min(Math.max(block.rcvMss, segment.payload.length), block.ownMss);
  const end = seqAdd(segment.seq, segment.payload.length);
  noteDuplicate(block, segment.seq, end);
  const from = seqLt(segment.seq, block.rcvNxt) ? block.rcvNxt : segment.seq;
  const to = seqMin(end, seqMin(block.rcvEdge, block.earlyFin ?? end));
  if (!seqLt(from, to)) {
    // All of it was here already, or there is no room.
    block.ackOwed = 'now';
    return;
  }
  const start = seqDiff(from, segment.seq);
  const data = segment.payload.subarray(start, start + seqDiff(to, from));
  if (from === block.rcvNxt) takeInOrder(block, step, data);
  else takeEarly(block, from, data);
}

const seqMin = (a: SeqNumber, b: SeqNumber): SeqNumber => (seqLt(a, b) ? a : b);

/** RFC 2883: what is told as received twice. */
function noteDuplicate(block: ControlBlock, seq: SeqNumber, end: SeqNumber): void {
  if (seqLt(seq, block.rcvNxt)) {
    block.counts.duplicates += 1;
    if (block.hasSack) block.dsack = { left: seq, right: seqGt(end, block.rcvNxt) ? block.rcvNxt : end };
    return;
  }
  if (!block.hasSack) return;
  const twice = block.early.find(({ left, right }) => seqLeq(left, seq) && seqLeq(end, right));
  if (twice !== undefined) block.dsack = { left: seq, right: end };
}

/** Octets of the ring that are in use, counted from its front. */
const usedOctets = ({ receiveOctets, early, rcvNxt }: ControlBlock): number => {
  const last = early.at(-1);
  return receiveOctets + (last === undefined ? 0 : seqDiff(last.right, rcvNxt));
};

function takeInOrder(block: ControlBlock, step: Step, data: Uint8Array): void {
  block.receiveRing.write(block.receiveOctets, data, usedOctets(block));
  const hadHole = block.early.length > 0;
  let next = seqAdd(block.rcvNxt, data.length);
  while (block.early.length > 0) {
    const [first] = block.early;
    if (first === undefined || seqGt(first.left, next)) break;
    if (seqGt(first.right, next)) next = first.right;
    block.early.shift();
  }
  if (block.early.length === 0) block.recentBlocks = [];
  const octets = seqDiff(next, block.rcvNxt);
  block.rcvNxt = next;
  block.receiveOctets += octets;
  block.counts.octetsReceived += octets;
  block.unacknowledgedOctets += octets;
  step.notices.push({ kind: 'readable' });
  // RFC 5681 section 4.2: at once when a hole is filled, even in part; otherwise for every second full-sized segment.
  if (hadHole) block.ackOwed = 'now';
  else oweAck(block, step);
}

/** An ACK for what came in order: at once, or when its delay is over (RFC 9293 section 3.8.6.3). */
export function oweAck(block: ControlBlock, step: Step): void {
  const { ackDelayMs } = block.settings;
  if (ackDelayMs === 0 || block.unacknowledgedOctets >= 2 * block.rcvMss) block.ackOwed = 'now';
  if (block.ackOwed === 'now') return;
  block.ackOwed = 'delayed';
  if (block.timers.delayedAck === NEVER) block.timers.delayedAck = step.nowNs + fromMs(ackDelayMs);
}

/** RFC 9293 SHLD-31: what comes before its turn is kept. A duplicate ACK tells what is missing (RFC 5681 section 4.2). */
function takeEarly(block: ControlBlock, from: SeqNumber, data: Uint8Array): void {
  block.ackOwed = 'now';
  const to = seqAdd(from, data.length);
  const { early } = block;
  let left = from;
  let right = to;
  let at = 0;
  while (at < early.length && seqLt((early[at] ?? UNREACHABLE).right, from)) at += 1;
  let end = at;
  for (let piece = early[end]; piece !== undefined && seqLeq(piece.left, to); piece = early[end]) {
    if (seqLt(piece.left, left)) left = piece.left;
    if (seqGt(piece.right, right)) right = piece.right;
    end += 1;
  }
  if (end === at && early.length >= MOST_PIECES) return;
  block.receiveRing.write(block.receiveOctets + seqDiff(from, block.rcvNxt), data, usedOctets(block));
  early.splice(at, end - at, { left, right });
  if (block.hasSack) rememberBlock(block, from);
}

const UNREACHABLE = { left: 0 as SeqNumber, right: 0 as SeqNumber };

/** Eighth, check the FIN bit. One that came before its turn waits for it. */
export function takeFin(block: ControlBlock, step: Step, segment: Segment): void {
  if (!takesText(block)) return;
  if ((segment.flags & FLAG.FIN) !== 0) noteFin(block, seqAdd(segment.seq, segment.payload.length));
  if (block.earlyFin === undefined) return;
  if (block.earlyFin === block.rcvNxt) finReceived(block, step);
}

/** The first that comes counts, and none that lies before data that is here already. */
function noteFin(block: ControlBlock, at: SeqNumber): void {
  const { early, rcvNxt, rcvEdge } = block;
  const isNow = seqGeq(at, early.at(-1)?.right ?? rcvNxt) && seqLt(at, rcvEdge);
  if (isNow) block.earlyFin ??= at;
  // Behind the window's edge it is not here yet: it will come again. What comes before its turn or again is acknowledged, and what
  // comes while a FIN waits is not: two sides that wait so would answer each other without end.
  if (!isNow || at !== rcvNxt) block.ackOwed = 'now';
}

/** "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN" */
function finReceived(block: ControlBlock, step: Step): void {
  block.earlyFin = undefined;
  block.rcvNxt = seqAdd(block.rcvNxt, 1);
  step.notices.push({ kind: 'end' });
  switch (block.state) {
    case 'SYN-RECEIVED':
    case 'ESTABLISHED':
      enter(block, step, 'CLOSE-WAIT');
      // The program may close at once: its FIN then carries this ACK.
      oweAck(block, step);
      return;
    case 'FIN-WAIT-1':
      // "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT": the fifth step has made it FIN-WAIT-2 then.
      enter(block, step, 'CLOSING');
      break;
    case 'FIN-WAIT-2':
      linger(block, step);
      break;
    default:
  }
  block.ackOwed = 'now';
}
