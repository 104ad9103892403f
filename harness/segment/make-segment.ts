/** Segments from the few fields that matter, with sensible values for the rest. */

import { decodeOptions } from './decode-options.js';
import { parseFlags } from './flags.js';
import { ipHeaderLength } from './ip.js';
import { ipVersion } from './ip-address.js';
import { MAX_OPTION_OCTETS } from './option-numbers.js';
import {
  FLAG,
  type Flags,
  type IpHeader,
  type Ipv4Header,
  type Ipv6Header,
  type OptionsProblem,
  type Segment,
  type TcpOption,
} from './segment.js';
import { type SeqNumber, seqNumber } from './sequence.js';
import { TCP_HEADER } from './tcp.js';

const NOTHING = new Uint8Array(0);

export interface SegmentInit {
  /** Addresses of one version, which is the packet's; 192.0.2.1 and 192.0.2.2 (2001:db8::1, ::2) when absent. */
  readonly src?: string;
  readonly dst?: string;
  /** Other fields of the IP header: a TTL of 64, DF set on IPv4, and zeros when absent. */
  readonly ip?: Partial<Ipv4Header> | Partial<Ipv6Header>;
  /** 40000 to 80 when absent. */
  readonly srcPort?: number;
  readonly dstPort?: number;
  /** Taken modulo 2^32, so that `iss + 1` can be written. 0 when absent. */
  readonly seq?: number;
  readonly ack?: number;
  /** A number or text such as `SYN,ACK`. ACK when absent, as on every segment behind the first. */
  readonly flags?: Flags | string;
  /** 65535 when absent. */
  readonly window?: number;
  /** For `encode` with `checksums: 'keep'`; 0 when absent. */
  readonly checksum?: number;
  readonly urgentPointer?: number;
  /** Octets are put into the header as they stand, sound or not: up to 40, a multiple of four. */
  readonly options?: readonly TcpOption[] | Uint8Array;
  /** Text is sent as UTF-8. */
  readonly payload?: Uint8Array | string;
}

export function makeSegment(init: SegmentInit = {}): Segment {
  const { flags = FLAG.ACK, payload = NOTHING } = init;
  const ip = makeIp(init);
  return {
    ip,
    srcPort: init.srcPort ?? 40000,
    dstPort: init.dstPort ?? 80,
    seq: modulo(init.seq, 'the sequence number'),
    ack: modulo(init.ack, 'the acknowledgment number'),
    flags: typeof flags === 'string' ? parseFlags(flags) : flags,
    window: init.window ?? 65535,
    checksum: init.checksum ?? 0,
    urgentPointer: init.urgentPointer ?? 0,
    ...makeOptions(init.options ?? [], ipHeaderLength(ip) + TCP_HEADER),
    payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
  };
}

function modulo(n: number | undefined, what: string): SeqNumber {
  if (n === undefined) return seqNumber(0);
  if (Number.isSafeInteger(n)) return seqNumber(n);
  throw new RangeError(`${what} is ${n}: give a whole number`);
}

function makeIp({ src, dst, ip = {} }: SegmentInit): IpHeader {
  const from = src ?? ip.src;
  const to = dst ?? ip.dst;
  const common = { ttl: 64, trafficClass: 0 };
  if ((ipVersion(from ?? to ?? '') ?? ip.version) === 6) {
    const addresses = { src: from ?? '2001:db8::1', dst: to ?? '2001:db8::2', version: 6 } as const;
    return { flowLabel: 0, extensions: NOTHING, nextHeader: 6, ...common, ...ip, ...addresses };
  }
  const addresses = { src: from ?? '192.0.2.1', dst: to ?? '192.0.2.2', version: 4 } as const;
  return { identification: 0, dontFragment: true, options: NOTHING, ...common, ...ip, ...addresses };
}

function makeOptions(
  options: readonly TcpOption[] | Uint8Array,
  at: number,
): { options: readonly TcpOption[]; optionsProblem?: OptionsProblem } {
  if (!(options instanceof Uint8Array)) return { options };
  if (options.length > MAX_OPTION_OCTETS || options.length % 4 !== 0) {
    throw new RangeError(`${options.length} octets of options were given: give a multiple of 4 up to 40`);
  }
  const packet = new Uint8Array(at + options.length);
  packet.set(options, at);
  const decoded = decodeOptions(packet, new DataView(packet.buffer), at, packet.length);
  if (decoded.problem === undefined) return { options: decoded.options };
  return { options: decoded.options, optionsProblem: decoded.problem };
}
