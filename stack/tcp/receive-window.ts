/** How much this side offers to take: RCV.WND, and what goes into the window field. */
import { seqAdd, seqDiff } from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';

const MOST_IN_FIELD = 0xffff;

/** RCV.WND: from RCV.NXT to the right edge that was told last. */
export const rcvWnd = ({ rcvEdge, rcvNxt }: ControlBlock): number => Math.max(seqDiff(rcvEdge, rcvNxt), 0);

/** What the buffer has room for beyond RCV.NXT. */
const room = ({ settings, receiveOctets }: ControlBlock): number =>
  Math.max(settings.receiveBufferOctets - receiveOctets, 0);

/**
 * RFC 9293 section 3.8.6.2.2, silly window avoidance: the edge stays until it can move by a segment, or by half of the buffer.
 */
const canOpen = (block: ControlBlock): boolean => {
  const opens = room(block) - rcvWnd(block);
  return opens > 0 && opens >= Math.min(block.settings.receiveBufferOctets / 2, block.ownMss);
};

/** The window field of the next segment; the edge is what it tells. It never moves back (SHLD-14). */
export function offerWindow(block: ControlBlock, isSyn: boolean): number {
  const unit = isSyn ? 1 : 2 ** block.rcvWndShift;
  const told = rcvWnd(block);
  const free = room(block);
  // The field counts in units: what was told is rounded up, lest the edge move back by a part of one; but not beyond the buffer, or it
  // would grow by that part with each segment. What was told before is still taken then (RFC 7323 section 2.4).
  const up = Math.ceil(told / unit);
  const least = up * unit <= free ? up : Math.floor(told / unit);
  const field = canOpen(block) ? Math.max(Math.floor(free / unit), least) : least;
  const bounded = Math.min(field, MOST_IN_FIELD);
  block.rcvEdge = seqAdd(block.rcvNxt, Math.max(bounded * unit, told));
  return bounded;
}

/** The program took octets: the other side must be told when that opens the window by enough to matter. */
export const shouldTellWindow = (block: ControlBlock): boolean =>
  canOpen(block) && rcvWnd(block) < Math.min(block.settings.receiveBufferOctets / 2, 4 * block.ownMss);

/** The shift that lets the field tell the whole buffer (RFC 7323 section 2.3: at most 14). */
export function scaleFor(bufferOctets: number): number {
  let shift = 0;
  while (shift < 14 && bufferOctets > MOST_IN_FIELD * 2 ** shift) shift += 1;
  return shift;
}
