/** Neighbour solicitations and advertisements of IPv6 (RFC 4861 sections 4.3, 4.4): IP packets from and to octets. Pure. */
import { finishChecksum, wordSum } from '../../../harness/segment/index.js';

const IPV6_OCTETS = 40;
const ICMPV6 = 58;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
/** Sections 7.1.1 and 7.1.2: what has crossed a router is not believed. */
const HOP_LIMIT = 255;
const MESSAGE_OCTETS = 24;
const OPTION_OCTETS = 8;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

export interface NeighbourMessage {
  readonly kind: 'solicitation' | 'advertisement';
  readonly sourceIp: Uint8Array;
  readonly destinationIp: Uint8Array;
  readonly targetIp: Uint8Array;
  /** The link-layer address option: of the sender of a solicitation, of the target of an advertisement. */
  readonly mac: Uint8Array | undefined;
}

export const isNeighbourMessage = (packet: Uint8Array): boolean =>
  packet.length >= IPV6_OCTETS + MESSAGE_OCTETS &&
  packet[6] === ICMPV6 &&
  (packet[IPV6_OCTETS] === SOLICITATION || packet[IPV6_OCTETS] === ADVERTISEMENT);

/** Copies of what a packet says that `isNeighbourMessage`; undefined when it is not to be believed. */
export function readNeighbourMessage(packet: Uint8Array): NeighbourMessage | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const end = IPV6_OCTETS + view.getUint16(4);
  if (view.getUint8(7) !== HOP_LIMIT || view.getUint8(IPV6_OCTETS + 1) !== 0 || end > packet.length)
    return undefined;
  if (end < IPV6_OCTETS + MESSAGE_OCTETS || checksumOf(view, end) !== 0) return undefined;
  const kind = view.getUint8(IPV6_OCTETS) === SOLICITATION ? 'solicitation' : 'advertisement';
  return {
    kind,
    sourceIp: packet.slice(8, 24),
    destinationIp: packet.slice(24, 40),
    targetIp: packet.slice(IPV6_OCTETS + 8, IPV6_OCTETS + 24),
    mac: linkAddress(packet, end, kind === 'solicitation' ? SOURCE_LINK_ADDRESS : TARGET_LINK_ADDRESS),
  };
}

function linkAddress(packet: Uint8Array, end: number, wanted: number): Uint8Array | undefined {
  for (let at = IPV6_OCTETS + MESSAGE_OCTETS; at + OPTION_OCTETS <= end; ) {
    const octets = (packet[at + 1] ?? 0) * 8;
    if (octets === 0) return undefined;
    if (packet[at] === wanted && octets === OPTION_OCTETS) return packet.slice(at + 2, at + 8);
    at += octets;
  }
  return undefined;
}

/** An advertisement answers a solicitation unless it goes to all nodes. */
export function writeNeighbourMessage(
  message: NeighbourMessage & { readonly isAnswer?: boolean },
): Uint8Array {
  const { kind, sourceIp, destinationIp, targetIp, mac } = message;
  const octets = MESSAGE_OCTETS + (mac === undefined ? 0 : OPTION_OCTETS);
  const packet = new Uint8Array(IPV6_OCTETS + octets);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, octets);
  view.setUint8(6, ICMPV6);
  view.setUint8(7, HOP_LIMIT);
  packet.set(sourceIp, 8);
  packet.set(destinationIp, 24);
  const isSolicitation = kind === 'solicitation';
  view.setUint8(IPV6_OCTETS, isSolicitation ? SOLICITATION : ADVERTISEMENT);
  if (!isSolicitation)
    view.setUint8(IPV6_OCTETS + 4, OVERRIDE | (message.isAnswer === false ? 0 : SOLICITED));
  packet.set(targetIp, IPV6_OCTETS + 8);
  if (mac !== undefined) {
    view.setUint8(IPV6_OCTETS + MESSAGE_OCTETS, isSolicitation ? SOURCE_LINK_ADDRESS : TARGET_LINK_ADDRESS);
    view.setUint8(IPV6_OCTETS + MESSAGE_OCTETS + 1, 1);
    packet.set(mac, IPV6_OCTETS + MESSAGE_OCTETS + 2);
  }
  view.setUint16(IPV6_OCTETS + 2, checksumOf(view, packet.length));
  return packet;
}

/** RFC 8200 section 8.1; over a whole message it is 0 when all is well. */
const checksumOf = (view: DataView, end: number): number =>
  finishChecksum(
    wordSum(view, 8, IPV6_OCTETS) + ICMPV6 + end - IPV6_OCTETS + wordSum(view, IPV6_OCTETS, end),
  );

/** RFC 4291 section 2.7.1. */
export function solicitedNodeGroup(address: Uint8Array): Uint8Array {
  const group = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(address.subarray(13), 13);
  return group;
}

export const ALL_NODES: Uint8Array = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
