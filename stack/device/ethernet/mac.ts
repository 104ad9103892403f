/** Ethernet addresses. */

export const MAC_OCTETS = 6;
export const BROADCAST: Uint8Array = new Uint8Array(MAC_OCTETS).fill(0xff);

export const macText = (mac: Uint8Array): string =>
  [...mac].map((octet) => octet.toString(16).padStart(2, '0')).join(':');

/** Throws a `RangeError` when the text is no address. */
export function macOctets(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
    throw new RangeError(`"${text}" is no Ethernet address: write one such as 02:00:00:00:00:01`);
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16));
}

/** One that nobody has been given (IEEE 802: locally administered, of one station). */
export function localMac(random: Uint8Array): Uint8Array {
  const mac = random.slice(0, MAC_OCTETS);
  mac[0] = ((mac[0] ?? 0) & 0xfc) | 0x02;
  return mac;
}

/** RFC 2464 section 7: where IPv6 multicast goes. */
export const multicastMac6 = (address: Uint8Array): Uint8Array =>
  Uint8Array.of(0x33, 0x33, ...address.subarray(12, 16));

export const isGroupMac = (octets: Uint8Array, at: number): boolean => ((octets[at] ?? 0) & 1) !== 0;

export function sameOctets(a: Uint8Array, at: number, b: Uint8Array): boolean {
  for (let i = 0; i < b.length; i += 1) if (a[at + i] !== b[i]) return false;
  return true;
}
