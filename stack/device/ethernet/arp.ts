/** ARP for IPv4 over Ethernet (RFC 826): messages from and to octets. Pure. */
import { MAC_OCTETS } from './mac.js';

export const ARP_OCTETS = 28;
const ETHERNET = 1;
const IPV4 = 0x0800;

export interface ArpMessage {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Uint8Array;
  readonly senderIp: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetIp: Uint8Array;
}

/** Copies of what a message says; undefined when it is none for IPv4 over Ethernet. */
export function readArp(octets: Uint8Array): ArpMessage | undefined {
  if (octets.length < ARP_OCTETS) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  if (view.getUint16(0) !== ETHERNET || view.getUint16(2) !== IPV4) return undefined;
  if (view.getUint8(4) !== MAC_OCTETS || view.getUint8(5) !== 4) return undefined;
  const operation = view.getUint16(6);
  if (operation !== 1 && operation !== 2) return undefined;
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: octets.slice(8, 14),
    senderIp: octets.slice(14, 18),
    targetMac: octets.slice(18, 24),
    targetIp: octets.slice(24, 28),
  };
}

export function writeArp({ operation, senderMac, senderIp, targetMac, targetIp }: ArpMessage): Uint8Array {
  const octets = new Uint8Array(ARP_OCTETS);
  const view = new DataView(octets.buffer);
  view.setUint16(0, ETHERNET);
  view.setUint16(2, IPV4);
  view.setUint8(4, MAC_OCTETS);
  view.setUint8(5, 4);
  view.setUint16(6, operation === 'request' ? 1 : 2);
  octets.set(senderMac, 8);
  octets.set(senderIp, 14);
  octets.set(targetMac, 18);
  octets.set(targetIp, 24);
  return octets;
}
