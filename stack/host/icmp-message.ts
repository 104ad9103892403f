/** ICMP messages about TCP (RFC 792, RFC 4443): what they say, and of which segment. Pure. */
import { ipv4Text, ipv6Text, seqNumber } from '../../harness/segment/index.js';
import type { IcmpNews, SocketAddress } from '../tcp/index.js';

export const ICMP = 1;
export const ICMPV6 = 58;
const TCP = 6;

export interface IcmpAbout {
  /** The connection as the stack that is told knows it. */
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly news: IcmpNews;
}

type Kind =
  | { readonly kind: 'too-big'; readonly mtu: number }
  | Pick<IcmpNews & { error: unknown }, 'kind' | 'error'>;

/** What an ICMP message tells of a TCP connection; undefined when it tells nothing, or of something else. */
export function readIcmp(protocol: number, message: Uint8Array): IcmpAbout | undefined {
  if (message.length < 8) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const type = view.getUint8(0);
  const code = view.getUint8(1);
  if (protocol === ICMP) return about(kindOf4(type, code, view), readQuote4(message, view));
  return protocol === ICMPV6 ? about(kindOf6(type, code, view), readQuote6(message, view)) : undefined;
}

type Quote = Omit<IcmpAbout, 'news'> & { readonly seq: number };

function about(kind: Kind | undefined, quote: Quote | undefined): IcmpAbout | undefined {
  if (kind === undefined || quote === undefined) return undefined;
  const { local, remote, seq } = quote;
  return { local, remote, news: { ...kind, seq: seqNumber(seq) } as IcmpNews };
}

/** RFC 9293 section 3.9.2.2; source quench is none of these, and silently discarded (MUST-55). */
function kindOf4(type: number, code: number, view: DataView): Kind | undefined {
  if (type === 3 && code === 4) return { kind: 'too-big', mtu: view.getUint16(6) || RFC_1191_LEAST };
  if (type === 3 && code === 2) return { kind: 'hard', error: 'EPROTO' };
  if (type === 3 && code === 3) return { kind: 'hard', error: 'ECONNREFUSED' };
  if (type === 3) return { kind: 'soft', error: NETWORK_CODES.has(code) ? 'ENETUNREACH' : 'EHOSTUNREACH' };
  if (type === 11 || type === 12) return { kind: 'soft', error: 'EHOSTUNREACH' };
  return undefined;
}

const NETWORK_CODES: ReadonlySet<number> = new Set([0, 6, 9, 11]);
/** Routers before RFC 1191 told no MTU. */
const RFC_1191_LEAST = 576;

function kindOf6(type: number, code: number, view: DataView): Kind | undefined {
  if (type === 2) return { kind: 'too-big', mtu: view.getUint32(4) };
  if (type === 1 && code === 4) return { kind: 'hard', error: 'ECONNREFUSED' };
  if (type === 1) return { kind: 'soft', error: code === 0 ? 'ENETUNREACH' : 'EHOSTUNREACH' };
  if (type === 4 && code === 1) return { kind: 'hard', error: 'EPROTO' };
  if (type === 3 || type === 4) return { kind: 'soft', error: 'EHOSTUNREACH' };
  return undefined;
}

/** The packet that the message is about begins behind its eight octets. */
function readQuote4(message: Uint8Array, view: DataView): Quote | undefined {
  const at = 8;
  if (message.length < at + 20) return undefined;
  const header = (view.getUint8(at) & 15) * 4;
  const isFirst = (view.getUint16(at + 6) & 0x1fff) === 0;
  if (view.getUint8(at) >> 4 !== 4 || header < 20 || view.getUint8(at + 9) !== TCP || !isFirst)
    return undefined;
  return readPorts(view, at + header, ipv4Text(message, at + 12), ipv4Text(message, at + 16));
}

function readQuote6(message: Uint8Array, view: DataView): Quote | undefined {
  const at = 8;
  if (message.length < at + 40 || view.getUint8(at) >> 4 !== 6 || view.getUint8(at + 6) !== TCP)
    return undefined;
  return readPorts(view, at + 40, ipv6Text(message, at + 8), ipv6Text(message, at + 24));
}

/** RFC 792: eight octets of the segment are there at least, which is ports and sequence number. */
function readPorts(view: DataView, at: number, from: string, to: string): Quote | undefined {
  if (view.byteLength < at + 8) return undefined;
  return {
    local: { ip: from, port: view.getUint16(at) },
    remote: { ip: to, port: view.getUint16(at + 2) },
    seq: view.getUint32(at + 4),
  };
}
