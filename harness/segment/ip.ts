/**
 * IPv4 and IPv6 headers from and to octets (RFC 791, RFC 8200). What follows the header is found, not read;
 * octets behind the length that the header states (a link's padding) are no part of the packet.
 */
import { addressText } from './address-texts.js';
import { finishChecksum, wordSum } from './checksum.js';
import { ipBytes } from './ip-address.js';
import { walkExtensions } from './ipv6-extensions.js';
import { fits } from './range.js';
import type { IpHeader, Ipv4Header, Ipv6Header, Problem } from './segment.js';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const DONT_FRAGMENT = 0x4000;
const RESERVED_FLAG = 0x8000;
/** More Fragments and the fragment offset: zero in a whole packet. */
const IPV4_FRAGMENT = 0x3fff;

const EMPTY = new Uint8Array(0);

/** Where an IP header leads to. */
export interface IpContent {
  readonly ip: IpHeader;
  /** The protocol behind the header and its extensions; that of the whole packet for a fragment. */
  readonly protocol: number;
  readonly fragment: boolean;
  readonly checksumOk: boolean;
  /** Octet offsets of the content in the packet. */
  readonly from: number;
  readonly to: number;
}

const problem = (at: number, what: string): Problem => ({ layer: 'ip', at, what });

const part = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  from === to ? EMPTY : new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);

export function decodeIp(bytes: Uint8Array, view: DataView): IpContent | Problem {
  if (bytes.length === 0) return problem(0, 'the packet is empty');
  const version = view.getUint8(0) >> 4;
  if (version === 4) return decodeIpv4(bytes, view);
  if (version === 6) return decodeIpv6(bytes, view);
  return problem(0, `IP version ${version} is neither 4 nor 6`);
}

function decodeIpv4(bytes: Uint8Array, view: DataView): IpContent | Problem {
  const size = bytes.length;
  if (size < IPV4_HEADER)
    return problem(size, `the packet ends in the IPv4 header, after ${size} octets of 20`);
  const from = (view.getUint8(0) & 0x0f) * 4;
  if (from < IPV4_HEADER) return problem(0, `the IPv4 header length (IHL) is ${from} octets, less than 20`);
  if (from > size) return problem(0, `the IPv4 header length (IHL) is ${from} octets in a packet of ${size}`);
  const to = view.getUint16(2);
  if (to < from) return problem(2, `the total length is ${to} octets, less than the header's ${from}`);
  if (to > size) return problem(2, `the total length is ${to} octets in a packet of ${size}`);
  const fragmentation = view.getUint16(6);
  const ip: Ipv4Header = {
    version: 4,
    src: addressText(bytes, view, 12, 4),
    dst: addressText(bytes, view, 16, 4),
    ttl: view.getUint8(8),
    trafficClass: view.getUint8(1),
    identification: view.getUint16(4),
    dontFragment: (fragmentation & DONT_FRAGMENT) !== 0,
    checksum: view.getUint16(10),
    options: part(bytes, IPV4_HEADER, from),
  };
  return {
    ip: (fragmentation & RESERVED_FLAG) === 0 ? ip : { ...ip, reservedFlag: true },
    protocol: view.getUint8(9),
    fragment: (fragmentation & IPV4_FRAGMENT) !== 0,
    checksumOk: finishChecksum(wordSum(view, 0, from)) === 0,
    from,
    to,
  };
}

function decodeIpv6(bytes: Uint8Array, view: DataView): IpContent | Problem {
  const size = bytes.length;
  if (size < IPV6_HEADER)
    return problem(size, `the packet ends in the IPv6 header, after ${size} octets of 40`);
  const to = IPV6_HEADER + view.getUint16(4);
  if (to > size)
    return problem(
      4,
      `the payload length is ${to - IPV6_HEADER} octets, of which ${size - IPV6_HEADER} came`,
    );
  const nextHeader = view.getUint8(6);
  const chain = walkExtensions(view, { nextHeader, from: IPV6_HEADER, to });
  if ('what' in chain) return chain;
  const word = view.getUint32(0);
  const ip: Ipv6Header = {
    version: 6,
    src: addressText(bytes, view, 8, 6),
    dst: addressText(bytes, view, 24, 6),
    ttl: view.getUint8(7),
    trafficClass: (word >>> 20) & 0xff,
    flowLabel: word & 0xfffff,
    extensions: part(bytes, IPV6_HEADER, chain.from),
    nextHeader,
  };
  return { ip, protocol: chain.protocol, fragment: chain.fragment, checksumOk: true, from: chain.from, to };
}

/** The octets that a header takes, with its options or extension headers. */
export const ipHeaderLength = (ip: IpHeader): number =>
  ip.version === 4 ? IPV4_HEADER + ip.options.length : IPV6_HEADER + ip.extensions.length;

/** Writes the header at the start of a packet that carries TCP and is `bytes` long. */
export function encodeIp(ip: IpHeader, bytes: Uint8Array, view: DataView, keepChecksum: boolean): void {
  if (ip.version === 4) encodeIpv4(ip, bytes, view, keepChecksum);
  else encodeIpv6(ip, bytes, view);
}

function encodeIpv4(ip: Ipv4Header, bytes: Uint8Array, view: DataView, keepChecksum: boolean): void {
  const length = ipHeaderLength(ip);
  if (length > 60 || length % 4 !== 0) {
    throw new RangeError(`the IPv4 options take ${ip.options.length} octets: give a multiple of 4 up to 40`);
  }
  view.setUint8(0, 0x40 | (length / 4));
  view.setUint8(1, fits(ip.trafficClass, 8, 'the traffic class'));
  view.setUint16(2, fits(bytes.length, 16, 'the total length of the IPv4 packet'));
  view.setUint16(4, fits(ip.identification, 16, 'the IPv4 identification'));
  view.setUint16(6, (ip.dontFragment ? DONT_FRAGMENT : 0) | (ip.reservedFlag ? RESERVED_FLAG : 0));
  view.setUint8(8, fits(ip.ttl, 8, 'the TTL'));
  view.setUint8(9, 6);
  bytes.set(addressOctets(ip.src, 4), 12);
  bytes.set(addressOctets(ip.dst, 4), 16);
  bytes.set(ip.options, IPV4_HEADER);
  const checksum =
    keepChecksum && ip.checksum !== undefined ? ip.checksum : finishChecksum(wordSum(view, 0, length));
  view.setUint16(10, fits(checksum, 16, 'the IPv4 header checksum'));
}

function encodeIpv6(ip: Ipv6Header, bytes: Uint8Array, view: DataView): void {
  const trafficClass = fits(ip.trafficClass, 8, 'the traffic class');
  view.setUint32(0, 0x60000000 + trafficClass * 0x100000 + fits(ip.flowLabel, 20, 'the flow label'));
  view.setUint16(4, fits(bytes.length - IPV6_HEADER, 16, 'the payload length of the IPv6 packet'));
  view.setUint8(6, fits(ip.nextHeader, 8, 'the next header'));
  view.setUint8(7, fits(ip.ttl, 8, 'the hop limit'));
  bytes.set(addressOctets(ip.src, 6), 8);
  bytes.set(addressOctets(ip.dst, 6), 24);
  bytes.set(ip.extensions, IPV6_HEADER);
}

/** Parsed addresses: a run has few, and parsing one takes longer than encoding the rest of its packet. */
const parsedAddresses = new Map<string, Uint8Array>();
const MOST_PARSED_ADDRESSES = 256;

function addressOctets(text: string, version: 4 | 6): Uint8Array {
  let octets = parsedAddresses.get(text);
  if (octets === undefined) {
    octets = ipBytes(text);
    if (parsedAddresses.size === MOST_PARSED_ADDRESSES) parsedAddresses.clear();
    parsedAddresses.set(text, octets);
  }
  if (octets.length === (version === 4 ? 4 : 16)) return octets;
  throw new RangeError(
    `${text} is no address for a header of IPv${version}: give both addresses of that version`,
  );
}
