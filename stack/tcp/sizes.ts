/** Sizes of segments, and what is under way. */
import { type Segment, seqDiff } from '../../harness/segment/index.js';
import { type ControlBlock, sendEnd } from './control-block.js';
import { optionOctets } from './options.js';

export const TCP_HEADER_OCTETS = 20;
/** Timestamps, with the two NOPs before them. */
export const TIMESTAMP_OCTETS = 12;

/** Eff.snd.MSS of RFC 9293 section 3.7.1: what fits into a segment beside the options that each one carries. */
export function effectiveMss(block: ControlBlock): number {
  const options = block.hasTimestamps ? TIMESTAMP_OCTETS : 0;
  return segmentLimit(block, block.pathMtu) - options;
}

/** Data and options of a segment whose packet takes `mtu` octets, or as many as the other side takes. */
export function segmentLimit({ peerMss, ipHeaderOctets }: ControlBlock, mtu: number): number {
  // However small a path is said to be, a segment holds something (RFC 9293 section 3.7.1 and RFC 1191 section 3).
  return Math.max(Math.min(peerMss, mtu - ipHeaderOctets - TCP_HEADER_OCTETS), TIMESTAMP_OCTETS + 8);
}

/** Data of each of the segments that one which left is to be cut into; 0: it is one. */
export function segmentDataOctets(block: ControlBlock, { payload, options }: Segment): number {
  if (block.bundleOctets === 0) return 0;
  const limit = segmentLimit(block, block.pathMtu) - optionOctets(options);
  return payload.length > limit ? limit : 0;
}

/** FlightSize of RFC 5681: sent and not cumulatively acknowledged. */
export const flightOctets = ({ sndNxt, sndUna }: ControlBlock): number => seqDiff(sndNxt, sndUna);

/** Octets of the program's that were never sent. */
export function unsentOctets(block: ControlBlock): number {
  const unsent = seqDiff(sendEnd(block), block.sndNxt);
  return Math.max(unsent, 0);
}

/** RFC 6675 section 4: what is believed to be in the network. Without a hole in what was sent it is all of it. */
export function pipeOctets(block: ControlBlock): number {
  const { marked, inflation } = block.recovery;
  if (marked === 0) return Math.max(flightOctets(block) - inflation, 0);
  let pipe = 0;
  for (let i = 0; i < block.sent.count; i += 1) {
    const record = block.sent.at(i);
    if (record !== undefined && !record.isSacked && !record.isLost) pipe += record.length;
  }
  return Math.max(pipe - inflation, 0);
}
