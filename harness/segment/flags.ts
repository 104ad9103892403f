/** The control bits as text (`SYN,ACK`) and back. */
import { FLAG, type FlagName, type Flags } from './segment.js';

const NAMES = Object.keys(FLAG) as FlagName[]; // the keys of a literal are its names
const NAMED_BITS = NAMES.reduce((bits, name) => bits | FLAG[name], 0);
const RESERVED_BITS = 0xe00;
const isFlagName = (name: string): name is FlagName => Object.hasOwn(FLAG, name);

/** The names in the order of their bits; `none` without any; reserved bits as a number behind them. */
export function flagsText(flags: Flags): string {
  const names: string[] = NAMES.filter((name) => (flags & FLAG[name]) !== 0);
  const rest = flags & ~NAMED_BITS;
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.length === 0 ? 'none' : names.join(',');
}

/** Reads what `flagsText` writes, in any order and case. Throws a `RangeError` that names what is no flag. */
export function parseFlags(text: string): Flags {
  let flags = 0;
  for (const word of text.split(/[\s,+|]+/)) {
    const name = word.toUpperCase();
    if (name === '' || name === 'NONE') continue;
    const reserved = /^0X[0-9A-F]+$/.test(name) ? Number(word) : 0;
    if (isFlagName(name)) flags |= FLAG[name];
    else if (reserved !== 0 && (reserved & ~RESERVED_BITS) === 0) flags |= reserved;
    else throw new RangeError(`"${word}" in "${text}" is no TCP flag: the flags are ${NAMES.join(', ')}`);
  }
  return flags;
}

/** Whether all of `wanted` are set; others may be. */
export const hasFlags = (of: { readonly flags: Flags }, wanted: Flags): boolean =>
  (of.flags & wanted) === wanted;
