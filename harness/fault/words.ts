/** The words of faults: one list each for the schema, the one-line grammar and its suggestions. */
import { FLAG, type FlagName, type OptionKind } from '../segment/index.js';
import type { ActionKind, SegmentChange } from './action.js';
import { ROLES } from './flow.js';
import type { OptionsMatch, RoleWord } from './match.js';

export { SIDES } from './flow.js';

export const ROLE_WORDS = [...ROLES, 'fin'] as const satisfies readonly RoleWord[];

export const FLAG_NAMES = Object.keys(FLAG) as FlagName[]; // the keys of a literal are its names

export const OPTION_KINDS = [
  'eol',
  'nop',
  'mss',
  'windowScale',
  'sackPermitted',
  'sack',
  'timestamps',
  'fastOpen',
  'userTimeout',
  'md5',
  'ao',
  'unknown',
] as const satisfies readonly OptionKind[];

/** What of an option a match can ask for. */
export const OPTION_VALUES = [
  'mss',
  'windowScale',
  'tsVal',
  'tsEcr',
] as const satisfies readonly (keyof OptionsMatch)[];

export const ACTION_KINDS = [
  'drop',
  'delay',
  'hold',
  'duplicate',
  'reorder',
  'rewrite',
  'corrupt-checksum',
  'truncate',
  'inject',
  'replay',
] as const satisfies readonly ActionKind[];

/** Fields of a change that are plain numbers, with the bits they have. */
export const NUMBER_FIELDS = {
  window: 16,
  srcPort: 16,
  dstPort: 16,
  ttl: 8,
  urgentPointer: 16,
} as const satisfies Partial<Record<keyof SegmentChange, number>>;

export const NUMBER_FIELD_NAMES = Object.keys(NUMBER_FIELDS) as (keyof typeof NUMBER_FIELDS)[]; // as above

export const isOneOf = <T extends string>(words: readonly T[], word: string): word is T =>
  (words as readonly string[]).includes(word); // widened only to ask
