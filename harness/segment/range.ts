/** Refuses numbers that a field cannot hold, which a DataView would cut off without a word. */

export function fits(value: number, bits: number, what: string): number {
  const max = 2 ** bits - 1;
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${what} is ${value}: the field holds whole numbers from 0 to ${max}`);
}
