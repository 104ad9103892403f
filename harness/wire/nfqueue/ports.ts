/** Which side of a service's port a packet comes from, found without decoding the rest of it. */
import type { Side } from '../../fault/index.js';
import { decode } from '../../segment/index.js';

const TCP = 6;
const IPV6_HEADER = 40;

/**
 * The side that speaks: the one at `port` is the server. A packet between two such ports is the server's where `hook` says that it
 * leaves. Undefined for what is no TCP of that port.
 */
export function sideOfPacket(packet: Uint8Array, port: number, hook: 'output' | 'input'): Side | undefined {
  const ports = portsOf(packet);
  if (ports === undefined) return undefined;
  const [source, destination] = ports;
  if (source === port && destination === port) return hook === 'output' ? 'server' : 'client';
  if (destination === port) return 'client';
  return source === port ? 'server' : undefined;
}

function portsOf(packet: Uint8Array): readonly [source: number, destination: number] | undefined {
  const at = tcpAt(packet);
  if (at !== undefined && at + 4 <= packet.length) {
    const word = (offset: number) => ((packet[offset] ?? 0) << 8) | (packet[offset + 1] ?? 0);
    return [word(at), word(at + 2)];
  }
  const decoded = decode(packet);
  return decoded.kind === 'segment' ? [decoded.segment.srcPort, decoded.segment.dstPort] : undefined;
}

/** Where the TCP header begins, in a whole packet without extension headers. */
function tcpAt(packet: Uint8Array): number | undefined {
  const first = packet[0] ?? 0;
  if (first >> 4 === 6) return packet[6] === TCP ? IPV6_HEADER : undefined;
  const isWhole = ((packet[6] ?? 0) & 0x3f) === 0 && packet[7] === 0;
  return first >> 4 === 4 && packet[9] === TCP && isWhole ? (first & 0x0f) * 4 : undefined;
}
