/** The frame of a pcapng block and its options: type, length, body, options, length again; all padded to 4 octets. */

/** An option's length is a 16-bit field; a comment that is longer loses its tail. */
const MAX_OPTION_OCTETS = 0xffff;
const END_OF_OPTIONS = new Uint8Array(4);

export function option(code: number, value: Uint8Array): Uint8Array {
  const octets = value.subarray(0, MAX_OPTION_OCTETS);
  const bytes = new Uint8Array(4 + Math.ceil(octets.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, octets.length, true);
  bytes.set(octets, 4);
  return bytes;
}

export const textOption = (code: number, text: string): Uint8Array =>
  option(code, new TextEncoder().encode(text));

/** `body` must be a multiple of 4 octets long. */
export function pcapngBlock(type: number, body: DataView, options: readonly Uint8Array[]): Uint8Array {
  const tail = [...options, END_OF_OPTIONS];
  const length = 12 + body.byteLength + tail.reduce((sum, each) => sum + each.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), 8);
  let at = 8 + body.byteLength;
  for (const each of tail) {
    bytes.set(each, at);
    at += each.length;
  }
  view.setUint32(at, length, true);
  return bytes;
}
