/** ICMP errors as routers send them (RFC 792, RFC 4443): about a packet that did not get through. */
import { decode, finishChecksum, wordSum } from '../../harness/segment/index.js';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** As much of the packet as RFC 792 asks for, and as RFC 4443 would have it at least. */
const QUOTED = { 4: 28, 6: 60 } as const;

export interface IcmpErrorOptions {
  readonly type: number;
  readonly code: number;
  /** The second word: the next hop's MTU, where there is one. */
  readonly word?: number;
  /** The packet that it is about. */
  readonly about: Uint8Array;
}

/** The IP packet with the message, to be handed to the sender of `about`. */
export function icmpError({ type, code, word = 0, about }: IcmpErrorOptions): Uint8Array {
  const isIpv4 = (about[0] ?? 0) >> 4 === 4;
  const header = isIpv4 ? IPV4_HEADER : IPV6_HEADER;
  const quoted = about.subarray(0, QUOTED[isIpv4 ? 4 : 6]);
  const packet = new Uint8Array(header + 8 + quoted.length);
  const view = new DataView(packet.buffer);
  view.setUint8(header, type);
  view.setUint8(header + 1, code);
  view.setUint32(header + 4, word);
  packet.set(quoted, header + 8);
  if (isIpv4) {
    view.setUint8(0, 0x45);
    view.setUint16(2, packet.length);
    view.setUint8(8, 64);
    view.setUint8(9, 1);
    // The router has the address of the other side, for want of one of its own.
    packet.set(about.subarray(16, 20), 12);
    packet.set(about.subarray(12, 16), 16);
    view.setUint16(10, finishChecksum(wordSum(view, 0, header)));
    view.setUint16(header + 2, finishChecksum(wordSum(view, header, packet.length)));
  } else {
    view.setUint8(0, 0x60);
    view.setUint16(4, packet.length - header);
    view.setUint8(6, 58);
    view.setUint8(7, 64);
    packet.set(about.subarray(24, 40), 8);
    packet.set(about.subarray(8, 24), 24);
    const pseudo = wordSum(view, 8, 40) + (packet.length - header) + 58;
    view.setUint16(header + 2, finishChecksum(pseudo + wordSum(view, header, packet.length)));
  }
  return packet;
}

/** A router's link takes `mtu` octets, and the packet is larger; undefined when it may be fragmented (RFC 1191 section 4). */
export function packetTooBig(about: Uint8Array, mtu: number): Uint8Array | undefined {
  const decoded = decode(about);
  if (decoded.kind !== 'segment') return undefined;
  const { ip } = decoded.segment;
  if (ip.version === 6) return icmpError({ type: 2, code: 0, word: mtu, about });
  return ip.dontFragment ? icmpError({ type: 3, code: 4, word: mtu, about }) : undefined;
}
