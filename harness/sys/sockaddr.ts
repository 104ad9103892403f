/** `struct sockaddr_in` and `sockaddr_in6` from and to an address and a port. */
import { isIPv6 } from 'node:net';
import { ipv4Bytes, ipv4Text, ipv6Bytes, ipv6Text } from '../segment/index.js';
import { AF_INET, AF_INET6 } from './constants.js';

export function encodeSockaddr(address: { ip: string; port: number }): Uint8Array {
  const v6 = isIPv6(address.ip);
  const bytes = new Uint8Array(v6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, v6 ? AF_INET6 : AF_INET, true);
  view.setUint16(2, address.port);
  bytes.set(v6 ? ipv6Bytes(address.ip) : ipv4Bytes(address.ip), v6 ? 8 : 4);
  return bytes;
}

export function decodeSockaddr(bytes: Uint8Array): { ip: string; port: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const v6 = view.getUint16(0, true) === AF_INET6;
  return {
    ip: v6 ? ipv6Text(bytes.subarray(8, 24)) : ipv4Text(bytes.subarray(4, 8)),
    port: view.getUint16(2),
  };
}
