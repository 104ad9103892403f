/**
 * Answers what a stack asks about its neighbours: ARP (RFC 826) and IPv6 neighbour solicitations (RFC 4861). Whatever address it asks
 * for, the wire has it: the opposite side lies behind it.
 */
import { finishChecksum, wordSum } from '../../segment/index.js';
import { decodeFrame, ETHERTYPE_ARP, ETHERTYPE_IPV6, encodeFrame, type Frame } from './ethernet.js';

const ARP_OCTETS = 28;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;

const IPV6_OCTETS = 40;
const IGMP = 2;
const HOP_BY_HOP = 0;
const ICMPV6 = 58;
const MLDV2_REPORT = 143;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const SOLICITATION_OCTETS = 24;
/** Solicited and override. */
const ADVERTISEMENT_FLAGS = 0x60;
const TARGET_LINK_LAYER_ADDRESS = 2;
/** RFC 4861 section 7.1.2: so that no router can have passed it on. */
const HOP_LIMIT = 255;

/** The answer as a frame; undefined for a frame that asks nothing. */
export function neighbourAnswer(octets: Uint8Array, mac: Uint8Array): Uint8Array | undefined {
  const frame = decodeFrame(octets);
  if (frame?.etherType === ETHERTYPE_ARP) return arpAnswer(frame, mac);
  return frame?.etherType === ETHERTYPE_IPV6 ? advertisement(frame, mac) : undefined;
}

/** What a stack says to its neighbours only, and no network would carry: membership reports, router and neighbour discovery. */
export function isHousekeeping(packet: Uint8Array): boolean {
  if ((packet[0] ?? 0) >> 4 === 4) return packet[9] === IGMP;
  const [next, at] =
    packet[6] === HOP_BY_HOP ? [packet[IPV6_OCTETS], IPV6_OCTETS + 8] : [packet[6], IPV6_OCTETS];
  const type = packet[at] ?? 0;
  return next === ICMPV6 && ((type >= 130 && type <= 137) || type === MLDV2_REPORT);
}

function arpAnswer({ payload, source }: Frame, mac: Uint8Array): Uint8Array | undefined {
  if (payload.length < ARP_OCTETS || payload[7] !== ARP_REQUEST) return undefined;
  const reply = payload.slice(0, ARP_OCTETS);
  reply[7] = ARP_REPLY;
  reply.set(mac, 8);
  reply.set(payload.subarray(24, 28), 14);
  reply.set(payload.subarray(8, 18), 18);
  return encodeFrame({ destination: source, source: mac, etherType: ETHERTYPE_ARP, payload: reply });
}

function advertisement({ payload, source }: Frame, mac: Uint8Array): Uint8Array | undefined {
  const asks =
    payload.length >= IPV6_OCTETS + SOLICITATION_OCTETS &&
    payload[6] === ICMPV6 &&
    payload[IPV6_OCTETS] === NEIGHBOUR_SOLICITATION;
  if (!asks) return undefined;
  const target = payload.subarray(IPV6_OCTETS + 8, IPV6_OCTETS + 24);
  const message = new Uint8Array(SOLICITATION_OCTETS + 8);
  message[0] = NEIGHBOUR_ADVERTISEMENT;
  message[4] = ADVERTISEMENT_FLAGS;
  message.set(target, 8);
  message[24] = TARGET_LINK_LAYER_ADDRESS;
  message[25] = 1;
  message.set(mac, 26);
  const packet = new Uint8Array(IPV6_OCTETS + message.length);
  packet[0] = 0x60;
  packet[5] = message.length;
  packet[6] = ICMPV6;
  packet[7] = HOP_LIMIT;
  packet.set(target, 8);
  packet.set(payload.subarray(8, 24), 24);
  packet.set(message, IPV6_OCTETS);
  const sum = checksumOf(packet, message);
  packet[IPV6_OCTETS + 2] = sum >> 8;
  packet[IPV6_OCTETS + 3] = sum & 0xff;
  return encodeFrame({ destination: source, source: mac, etherType: ETHERTYPE_IPV6, payload: packet });
}

/** RFC 8200 section 8.1: over the pseudo-header and the message. */
function checksumOf(packet: Uint8Array, message: Uint8Array): number {
  const summed = new Uint8Array(IPV6_OCTETS + message.length);
  summed.set(packet.subarray(8, 40));
  summed[35] = message.length;
  summed[39] = ICMPV6;
  summed.set(message, IPV6_OCTETS);
  return finishChecksum(wordSum(new DataView(summed.buffer), 0, summed.length));
}
