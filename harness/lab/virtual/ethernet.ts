/** Ethernet II frames: what a guest's card sends and takes. */

export const MAC_OCTETS = 6;
export const HEADER_OCTETS = 14;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
/** IEEE 802 Local Experimental Ethertype 1: the agent's. */
export const ETHERTYPE_AGENT = 0x88b5;

export const BROADCAST_MAC = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

export interface Frame {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

/** Undefined for what is shorter than a header. The parts share the frame's memory. */
export function decodeFrame(octets: Uint8Array): Frame | undefined {
  if (octets.length < HEADER_OCTETS) return undefined;
  return {
    destination: octets.subarray(0, MAC_OCTETS),
    source: octets.subarray(MAC_OCTETS, 2 * MAC_OCTETS),
    etherType: ((octets[12] ?? 0) << 8) | (octets[13] ?? 0),
    payload: octets.subarray(HEADER_OCTETS),
  };
}

export function encodeFrame({ destination, source, etherType, payload }: Frame): Uint8Array {
  const octets = new Uint8Array(HEADER_OCTETS + payload.length);
  octets.set(destination);
  octets.set(source, MAC_OCTETS);
  octets[12] = etherType >> 8;
  octets[13] = etherType & 0xff;
  octets.set(payload, HEADER_OCTETS);
  return octets;
}
