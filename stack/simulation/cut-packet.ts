/** What a card does with a packet of several segments: cuts it, and completes the checksums. */
import { decode, encode, FLAG, seqAdd } from '../../harness/segment/index.js';

/** Flags that only the last of the pieces has, and those that only the first has. */
const LAST_ONLY = FLAG.FIN | FLAG.PSH;
const FIRST_ONLY = FLAG.CWR;

export function cutPacket(packet: Uint8Array, segmentOctets: number): Uint8Array[] {
  const decoded = decode(packet, { checksums: 'trust' });
  if (decoded.kind !== 'segment') throw new Error(`this is no segment: ${decoded.kind}`);
  const { segment } = decoded;
  const { payload, flags, seq } = segment;
  if (segmentOctets === 0) return [encode(segment)];
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += segmentOctets) {
    const isFirst = at === 0;
    const isLast = at + segmentOctets >= payload.length;
    pieces.push(
      encode({
        ...segment,
        seq: seqAdd(seq, at),
        flags: flags & ~(isFirst ? 0 : FIRST_ONLY) & ~(isLast ? 0 : LAST_ONLY),
        payload: payload.subarray(at, at + segmentOctets),
      }),
    );
  }
  return pieces;
}
