/** IP addresses as octets and as text (RFC 4291 section 2.2, RFC 5952). Zones (`%eth0`) are no part of an address here. */

/** Throws a `RangeError` when the text is no dotted quad. */
export function ipv4Bytes(ip: string): Uint8Array {
  const octets = parseIpv4(ip);
  if (octets !== undefined) return octets;
  throw new RangeError(`"${ip}" is no IPv4 address: write four numbers up to 255, such as 192.0.2.1`);
}

/** Throws a `RangeError` when the text is no IPv6 address. */
export function ipv6Bytes(ip: string): Uint8Array {
  const octets = parseIpv6(ip);
  if (octets !== undefined) return octets;
  throw new RangeError(`"${ip}" is no IPv6 address: write one such as 2001:db8::1, without a zone`);
}

/** The octets of an address of either version; throws a `RangeError` for other text. */
export function ipBytes(ip: string): Uint8Array {
  const octets = parseIpv4(ip) ?? parseIpv6(ip);
  if (octets !== undefined) return octets;
  throw new RangeError(`"${ip}" is no IP address: write one such as 192.0.2.1 or 2001:db8::1`);
}

/** The version that the text is an address of, undefined for any other text. */
export function ipVersion(ip: string): 4 | 6 | undefined {
  if (parseIpv4(ip) !== undefined) return 4;
  return parseIpv6(ip) === undefined ? undefined : 6;
}

/** No leading zeros: some readers take them for octal (RFC 6943 section 3.1.1). */
const DECIMAL_OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const HEX_GROUP = /^[0-9a-f]{1,4}$/i;

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const octets = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    const value = Number(part);
    if (!DECIMAL_OCTET.test(part) || value > 255) return undefined;
    octets[i] = value;
  }
  return octets;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const left = parseGroups(head, tail === undefined);
  const right = parseGroups(tail ?? '', true);
  if (left === undefined || right === undefined) return undefined;
  const count = left.length + right.length;
  if (tail === undefined ? count !== 8 : count > 7) return undefined;
  const octets = new Uint8Array(16);
  const view = new DataView(octets.buffer);
  for (const [i, group] of left.entries()) view.setUint16(2 * i, group);
  for (const [i, group] of right.entries()) view.setUint16(2 * (8 - right.length + i), group);
  return octets;
}

/** The 16-bit groups of one side of `::`. At the end of the address a dotted quad stands for two of them. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (HEX_GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      const quad = endsAddress && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (quad === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = quad;
      groups.push((a << 8) | b, (c << 8) | d);
    }
  }
  return groups;
}

/** The text of the four octets at `at`. */
export function ipv4Text(bytes: Uint8Array, at = 0): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
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
