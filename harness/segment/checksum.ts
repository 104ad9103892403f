/**
 * The Internet checksum (RFC 1071) as sums to be added up and finished: over an IPv4 header, and over a TCP
 * segment with its pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1). The pseudo header is made of the
 * addresses in the IP header: a packet under way by a source route or routing header is judged wrong.
 */

const TCP = 6;
/** A packet's octets add up to less than 2^32, so that a sum can be folded with 32-bit operations. */
const fold = (sum: number): number => {
  const once = (sum >>> 16) + (sum & 0xffff);
  return (once >>> 16) + (once & 0xffff);
};

/** The sum of the 16-bit words in `[from, to)`, an odd octet at the end padded with zero; not folded. */
export function wordSum(view: DataView, from: number, to: number): number {
  let sum = 0;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    sum += (a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff);
  }
  for (; at + 2 <= to; at += 2) sum += view.getUint16(at);
  return at < to ? sum + (view.getUint8(at) << 8) : sum;
}

/** The checksum field's value for a sum over everything but that field. Over everything it gives 0 when all is well. */
export const finishChecksum = (sum: number): number => ~fold(sum) & 0xffff;

/** The sum of the pseudo header of a segment of so many octets, whose IP header stands at the start. */
export function pseudoHeaderSum(view: DataView, version: 4 | 6, octets: number): number {
  const addresses = version === 4 ? wordSum(view, 12, 20) : wordSum(view, 8, 40);
  return addresses + TCP + octets;
}

/** The sum of the pseudo header and the segment in `[tcpAt, end)` of an IP packet. */
export function tcpSum(view: DataView, version: 4 | 6, tcpAt: number, end: number): number {
  return pseudoHeaderSum(view, version, end - tcpAt) + wordSum(view, tcpAt, end);
}
