/**
 * Memory that rings have given back and others take again: to ask for a large piece costs more than all that is done with it. What lies in
 * it is of no meaning to anybody.
 */

const MOST_OCTETS = 16 << 20;
/** Larger ones go back to where they came from. */
const LARGEST_OCTETS = 4 << 20;

const free = new Map<number, Uint8Array[]>();
let freeOctets = 0;

/** `octets` is a power of two. */
export function takeOctets(octets: number): Uint8Array {
  const found = free.get(octets)?.pop();
  if (found === undefined) return new Uint8Array(octets);
  freeOctets -= octets;
  return found;
}

/** Nobody may use it any more. */
export function giveOctets(octets: Uint8Array): void {
  const { length } = octets;
  if (length === 0 || length > LARGEST_OCTETS || freeOctets + length > MOST_OCTETS) return;
  freeOctets += length;
  const there = free.get(length);
  if (there === undefined) free.set(length, [octets]);
  else there.push(octets);
}
