/** Which of the things seen at a lab's addresses belong to its own connections. */
import type { NoteRecord, TransitionRecord } from '../observe/index.js';
import { decode } from '../segment/index.js';
import type { SegmentRecord } from '../wire/index.js';

/**
 * Tracepoints tell labs apart by address, and orphans of a lab that is gone may still be heard of under an address that was
 * given to this one. A connection of this lab has sent something on its wire; a listener has no remote port.
 */
export function isOwn(segments: Iterable<SegmentRecord>): (seen: TransitionRecord | NoteRecord) => boolean {
  const pairs = new Set<string>();
  for (const { packet } of segments) {
    const decoded = decode(packet);
    if (decoded.kind !== 'segment') continue;
    const { srcPort, dstPort } = decoded.segment;
    pairs.add(`${srcPort} ${dstPort}`).add(`${dstPort} ${srcPort}`);
  }
  return ({ local, remote }) => remote.port === 0 || pairs.has(`${local.port} ${remote.port}`);
}
