/**
 * `struct virtio_net_hdr` (uapi/linux/virtio_net.h), which TUN and packet sockets can have before each packet: which checksums are still to be
 * computed, and into what pieces it is to be cut. It is in the machine's byte order.
 */

export const VIRTIO_HEADER_OCTETS = 10;

const NEEDS_CHECKSUM = 1;
const CHECKSUM_IS_VALID = 2;
const GSO_NONE = 0;
const GSO_TCP4 = 1;
const GSO_TCP6 = 4;
const GSO_ECN = 0x80;
const CWR = 0x80;
const CHECKSUM_AT = 16;

/** Nothing vouches for what the network carries but these. */
export const isTrusted = (header: number): boolean => (header & (NEEDS_CHECKSUM | CHECKSUM_IS_VALID)) !== 0;

/**
 * Writes the header of a TCP packet that begins at `packetAt`, with a link's header of `linkOctets` before it, whose checksum is that of the
 * pseudo header. `segmentOctets` 0: it is one segment.
 */
export function writeVirtioHeader(
  view: DataView,
  at: number,
  { packetAt, linkOctets, segmentOctets }: PacketPlace,
): void {
  const first = view.getUint8(packetAt);
  const isVersion6 = first >> 4 === 6;
  // The stack sends no extension headers and no IPv4 options.
  const ipOctets = isVersion6 ? 40 : (first & 15) * 4;
  const tcpAt = packetAt + ipOctets;
  const tcpOctets = (view.getUint8(tcpAt + 12) >> 4) * 4;
  const hasCwr = (view.getUint8(tcpAt + 13) & CWR) !== 0;
  const isCut = segmentOctets > 0;
  view.setUint8(at, NEEDS_CHECKSUM);
  const type = (isVersion6 ? GSO_TCP6 : GSO_TCP4) | (hasCwr ? GSO_ECN : 0);
  view.setUint8(at + 1, isCut ? type : GSO_NONE);
  view.setUint16(at + 2, isCut ? linkOctets + ipOctets + tcpOctets : 0, true);
  view.setUint16(at + 4, segmentOctets, true);
  view.setUint16(at + 6, linkOctets + ipOctets, true);
  view.setUint16(at + 8, CHECKSUM_AT, true);
}

export interface PacketPlace {
  readonly packetAt: number;
  readonly linkOctets: number;
  readonly segmentOctets: number;
}
