/**
 * What one packet can be asked without memory, and alternatives of such questions: the form that all dialects of rules are
 * made from.
 */
import type { OptionsMatch, Side } from '../../fault/index.js';
import { FLAG, type OptionKind } from '../../segment/index.js';
import type { Ranges } from './ranges.js';

export type OptionValueName = Exclude<keyof OptionsMatch, 'present' | 'absent'>;

export type Atom =
  | { readonly kind: 'sender'; readonly side: Side }
  /** Of the twelve bits behind the data offset, reserved ones included: those of `mask` are `value`. */
  | { readonly kind: 'flags'; readonly mask: number; readonly value: number }
  /** Octets of data. */
  | { readonly kind: 'length'; readonly ranges: Ranges }
  /** In octets. The field is scaled but on a SYN. */
  | { readonly kind: 'window'; readonly ranges: Ranges }
  | { readonly kind: 'option'; readonly option: OptionKind }
  /** The option is there, and its value is one of these. */
  | { readonly kind: 'option-value'; readonly name: OptionValueName; readonly ranges: Ranges }
  /** The data has these octets somewhere. */
  | { readonly kind: 'contains'; readonly octets: Uint8Array };

export interface Literal {
  readonly atom: Atom;
  readonly isNegated: boolean;
}

/** All of these hold. */
export type Term = readonly Literal[];

export const MOST = {
  length: 0xffff,
  window: 0xffff,
  mss: 0xffff,
  windowScale: 0xff,
  tsVal: 0xffff_ffff,
  tsEcr: 0xffff_ffff,
} as const;

/** The option that a value is of. */
export const OPTION_OF = {
  mss: 'mss',
  windowScale: 'windowScale',
  tsVal: 'timestamps',
  tsEcr: 'timestamps',
} as const satisfies Record<OptionValueName, OptionKind>;

/** Whether a term can only hold on segments with (or, `value` 0, without) these flags. */
export const implies = (term: Term, mask: number, value: number): boolean =>
  term.some(
    ({ atom, isNegated }) =>
      atom.kind === 'flags' && !isNegated && (atom.mask & mask) === mask && (atom.value & mask) === value,
  );

export const impliesSyn = (term: Term): boolean => implies(term, FLAG.SYN, FLAG.SYN);

/** The literals of one kind. */
export const literalsOf = <K extends Atom['kind']>(
  term: Term,
  kind: K,
): readonly { readonly atom: Extract<Atom, { kind: K }>; readonly isNegated: boolean }[] =>
  term.filter((literal): literal is { atom: Extract<Atom, { kind: K }>; isNegated: boolean } => {
    return literal.atom.kind === kind;
  });
