/** IP addresses as octets and as text (RFC 4291 section 2.2, RFC 5952). Zones (`%eth0`) are no part of an address here. */
import { isIPv4, isIPv6 } from 'node:net';

/** Throws a `RangeError` when the text is no dotted quad. */
export function ipv4Bytes(ip: string): Uint8Array {
  if (!isIPv4(ip)) throw new RangeError(`"${ip}" is no IPv4 address: write four numbers, such as 192.0.2.1`);
  return Uint8Array.from(ip.split('.'), Number);
}

/** The text of the four octets at `at`. */
export function ipv4Text(bytes: Uint8Array, at = 0): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** Throws a `RangeError` when the text is no IPv6 address. */
export function ipv6Bytes(ip: string): Uint8Array {
  if (!isIPv6(ip) || ip.includes('%')) {
    throw new RangeError(`"${ip}" is no IPv6 address: write one such as 2001:db8::1, without a zone`);
  }
  const [head = '', tail] = ip.split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** 16-bit groups of one side of `::`; a dotted quad at its end is two of them. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(group);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** The octets of an address of either version; throws a `RangeError` for other text. */
export function ipBytes(ip: string): Uint8Array {
  if (isIPv4(ip)) return ipv4Bytes(ip);
  if (ip.includes(':')) return ipv6Bytes(ip);
  throw new RangeError(`"${ip}" is no IP address: write one such as 192.0.2.1 or 2001:db8::1`);
}

/** The version that the text is an address of, undefined for any other text. */
export function ipVersion(ip: string): 4 | 6 | undefined {
  if (isIPv4(ip)) return 4;
  return isIPv6(ip) && !ip.includes('%') ? 6 : undefined;
}

const HEX = Array.from({ length: 0x100 }, (_, n) => n.toString(16));
const PADDED_HEX = HEX.map((text) => text.padStart(2, '0'));

/** A group without leading zeros (RFC 5952 section 4.1). */
function groupText(bytes: Uint8Array, at: number): string {
  const high = bytes[at] ?? 0;
  const low = bytes[at + 1] ?? 0;
  return high === 0 ? `${HEX[low]}` : `${HEX[high]}${PADDED_HEX[low]}`;
}

/**
 * RFC 5952 text of the sixteen octets at `at`: lower case, the first longest run of two or more zero groups as `::`, and
 * IPv4-mapped addresses (::ffff:0:0/96) with their dotted quad (section 5).
 */
export function ipv6Text(bytes: Uint8Array, at = 0): string {
  const run = longestZeroRun(bytes, at);
  if (run.start === 0 && run.length === 5 && bytes[at + 10] === 0xff && bytes[at + 11] === 0xff) {
    return `::ffff:${ipv4Text(bytes, at + 12)}`;
  }
  const end = run.length > 1 ? run.start + run.length : 0;
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i < end && i >= run.start) {
      text += '::';
      i = end - 1;
    } else {
      text += i === 0 || i === end ? groupText(bytes, at + 2 * i) : `:${groupText(bytes, at + 2 * i)}`;
    }
  }
  return text;
}

function longestZeroRun(bytes: Uint8Array, at: number): { start: number; length: number } {
  let start = 0;
  let best = { start: 0, length: 0 };
  for (let i = 0; i < 8; i++) {
    if (bytes[at + 2 * i] !== 0 || bytes[at + 2 * i + 1] !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}
