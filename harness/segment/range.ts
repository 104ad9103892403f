/** Refuses numbers that a field cannot hold, which a DataView would cut off without a word. */

export function fits(value: number, bits: number, what: string): number {
  // As many bits are left as there were: it is a whole number, not negative, and fits.
  if (value >>> 0 === value && (bits === 32 || value >>> bits === 0)) return value;
  throw new RangeError(`${what} is ${value}: the field holds whole numbers from 0 to ${2 ** bits - 1}`);
}
