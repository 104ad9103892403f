/** Octets as hexadecimal text, for people. */

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');

/** Blanks between digits are allowed. Throws a `RangeError` for text that is no row of digit pairs. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new RangeError(`"${text}" is no hexadecimal text: write two digits for each octet`);
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
