/** What decoding and encoding of options agree on. */
import type { OptionKind } from './segment.js';

/** The kinds' numbers at IANA. */
export const OPTION_NUMBER = {
  eol: 0,
  nop: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  md5: 19,
  userTimeout: 28,
  ao: 29,
  fastOpen: 34,
} as const satisfies Record<Exclude<OptionKind, 'unknown'>, number>;

/** The data offset counts up to 15 words, five of which are the fixed header. */
export const MAX_OPTION_OCTETS = 40;
