/** IP packets to segments and back. Whatever the octets are, `decode` answers with a value and does not throw. */
import { finishChecksum, tcpSum } from './checksum.js';
import { decodeIp, encodeIp, ipHeaderLength } from './ip.js';
import type { IpHeader, Problem, Segment } from './segment.js';
import { decodeTcp, encodeTcp, tcpHeaderLength } from './tcp.js';

const TCP = 6;

/**
 * - `segment`: TCP whose header could be read. `segment.optionsProblem` is there when its options could not.
 * - `other`: sound IP that carries something else, or a fragment of anything.
 * - `malformed`: says what is wrong; `ip` is the envelope of a bad TCP header.
 */
export type Decoded =
  | {
      readonly kind: 'segment';
      readonly segment: Segment;
      readonly checksumOk: { readonly ip: boolean; readonly tcp: boolean };
    }
  | {
      readonly kind: 'other';
      readonly protocol: number;
      readonly ip: IpHeader;
      readonly fragment: boolean;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'malformed'; readonly problem: Problem; readonly ip?: IpHeader };

/**
 * Reads an IP packet (no link header). Octet fields of the result are views of `packet`, not copies. `trust` takes the TCP checksum for
 * right without looking: a packet that never was on a wire may have none yet.
 */
export function decode(
  packet: Uint8Array,
  options: { readonly checksums?: 'verify' | 'trust' } = {},
): Decoded {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const content = decodeIp(packet, view);
  if ('what' in content) return { kind: 'malformed', problem: content };
  const { ip, protocol, fragment, from, to } = content;
  if (protocol !== TCP || fragment) {
    const payload = new Uint8Array(packet.buffer, packet.byteOffset + from, to - from);
    return { kind: 'other', protocol, ip, fragment, payload };
  }
  const segment = decodeTcp(ip, packet, view, content);
  if ('what' in segment) return { kind: 'malformed', problem: segment, ip };
  const tcp = options.checksums === 'trust' || finishChecksum(tcpSum(view, ip.version, from, to)) === 0;
  return { kind: 'segment', segment, checksumOk: { ip: content.checksumOk, tcp } };
}

/**
 * The IP packet of a segment. `compute` (default) gives it right checksums; `keep` takes those of the segment, so that
 * a packet that was decoded comes back octet for octet; `partial` leaves TCP's to whoever sends the packet, who finds the sum of the
 * pseudo header in its place. Throws a `RangeError` that names what does not fit.
 */
export function encode(segment: Segment, { checksums = 'compute', into }: EncodeOptions = {}): Uint8Array {
  const from = ipHeaderLength(segment.ip);
  const header = tcpHeaderLength(segment);
  const octets = from + header + segment.payload.length;
  if (into !== undefined && into.length < octets)
    throw new RangeError(`the packet takes ${octets} octets and there is room for ${into.length}`);
  const packet = into === undefined ? new Uint8Array(octets) : into.subarray(0, octets);
  if (into !== undefined) packet.fill(0, 0, from + header);
  const view = new DataView(packet.buffer, packet.byteOffset, octets);
  encodeIp(segment.ip, packet, view, checksums === 'keep');
  encodeTcp(segment, packet, view, { from, header, checksums });
  return packet;
}

export interface EncodeOptions {
  readonly checksums?: 'compute' | 'keep' | 'partial';
  /** Memory to write the packet to, from its start; absent: new memory. */
  readonly into?: Uint8Array;
}
