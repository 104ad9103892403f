/** Texts of addresses that were written out before: a run has few, and to make one takes longer than to read the rest of its header. */
import { ipv4Text, ipv6Text } from './ip-address.js';

const SLOTS = 256;
const WORDS = 4;

const words = new Uint32Array(2 * SLOTS * WORDS);
const texts: (string | undefined)[] = Array.from({ length: 2 * SLOTS });

/** The text of the address at `at`. Always the same string for the same address, as long as few others come. */
export function addressText(bytes: Uint8Array, view: DataView, at: number, version: 4 | 6): string {
  const a = view.getUint32(at);
  const isVersion6 = version === 6;
  const b = isVersion6 ? view.getUint32(at + 4) : 0;
  const c = isVersion6 ? view.getUint32(at + 8) : 0;
  const d = isVersion6 ? view.getUint32(at + 12) : 0;
  const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 37) ^ Math.imul(d, 41), 0x9e3779b1);
  const slot = (mixed >>> 24) + (isVersion6 ? SLOTS : 0);
  const first = slot * WORDS;
  const known = texts[slot];
  if (
    known !== undefined &&
    words[first] === a &&
    words[first + 1] === b &&
    words[first + 2] === c &&
    words[first + 3] === d
  )
    return known;
  const text = isVersion6 ? ipv6Text(bytes, at) : ipv4Text(bytes, at);
  words[first] = a;
  words[first + 1] = b;
  words[first + 2] = c;
  words[first + 3] = d;
  texts[slot] = text;
  return text;
}
