/** Formulas as alternatives of literals, simplified: what can never hold is left out, and what says the same is said once. */
import { type Atom, type Literal, literalsOf, MOST, type Term } from './atom.js';
import type { Formula } from './formula.js';
import { complement, intersection, type Ranges } from './ranges.js';

/** More alternatives than this are a mistake, or a case for a program. */
export const MAX_TERMS = 64;

/** A match that falls apart into more alternatives than rules are for. */
export class TooManyTerms extends Error {
  override readonly name = 'TooManyTerms';
}

/** Any of the terms holds exactly when the formula does. */
export function termsOf(formula: Formula): readonly Term[] {
  return expanded(formula, false)
    .map(simplified)
    .filter((term) => term !== undefined);
}

function expanded(formula: Formula, isNegated: boolean): readonly Term[] {
  if ('atom' in formula) return [[literal(formula.atom, isNegated)]];
  if ('not' in formula) return expanded(formula.not, !isNegated);
  const isAll = 'all' in formula;
  const parts = isAll ? formula.all : formula.any;
  if (isAll === isNegated) return bounded(parts.flatMap((part) => expanded(part, isNegated)));
  return parts.reduce<readonly Term[]>(
    (terms, part) =>
      bounded(terms.flatMap((term) => expanded(part, isNegated).map((more) => [...term, ...more]))),
    [[]],
  );
}

function bounded(terms: readonly Term[]): readonly Term[] {
  if (terms.length > MAX_TERMS)
    throw new TooManyTerms(`it falls apart into more than ${MAX_TERMS} alternatives`);
  return terms;
}

/** Negated where that cannot be said by another atom. */
function literal(atom: Atom, isNegated: boolean): Literal {
  if (!isNegated) return { atom, isNegated };
  switch (atom.kind) {
    case 'sender':
      return {
        atom: { kind: 'sender', side: atom.side === 'client' ? 'server' : 'client' },
        isNegated: false,
      };
    case 'length':
      return { atom: { kind: 'length', ranges: complement(atom.ranges, MOST.length) }, isNegated: false };
    case 'window':
      return {
        atom: { kind: 'window', ranges: complement(atom.ranges, Number.MAX_SAFE_INTEGER) },
        isNegated: false,
      };
    case 'flags':
      // Of one bit the contrary is another value.
      if (isOneBit(atom.mask)) return { atom: { ...atom, value: atom.value ^ atom.mask }, isNegated: false };
      return { atom, isNegated };
    default:
      return { atom, isNegated };
  }
}

const isOneBit = (mask: number): boolean => mask !== 0 && (mask & (mask - 1)) === 0;

/** Undefined where it can never hold. */
function simplified(term: Term): Term | undefined {
  const sides = new Set(literalsOf(term, 'sender').map(({ atom }) => atom.side));
  const flags = joinedFlags(term);
  if (sides.size > 1 || flags === undefined) return undefined;
  const ranged: Literal[] = [];
  for (const kind of ['length', 'window'] as const) {
    const said = literalsOf(term, kind);
    if (said.length === 0) continue;
    const ranges = said.map(({ atom }) => atom.ranges).reduce<Ranges>(intersection, EVERYTHING);
    if (ranges.length === 0) return undefined;
    ranged.push({ atom: { kind, ranges }, isNegated: false });
  }
  const others = term.filter(({ atom }) => !MERGED.includes(atom.kind));
  if (others.some((one) => others.some((other) => contradict(one, other)))) return undefined;
  const senders = [...sides].map((side): Literal => ({ atom: { kind: 'sender', side }, isNegated: false }));
  return unique([...senders, ...flags, ...ranged, ...others]);
}

const MERGED: readonly Atom['kind'][] = ['sender', 'flags', 'length', 'window'];
const EVERYTHING: Ranges = [{ from: 0, to: Number.MAX_SAFE_INTEGER }];

function joinedFlags(term: Term): readonly Literal[] | undefined {
  let mask = 0;
  let value = 0;
  const negated: Literal[] = [];
  for (const each of literalsOf(term, 'flags')) {
    if (each.isNegated) {
      negated.push(each);
      continue;
    }
    if (((value ^ each.atom.value) & mask & each.atom.mask) !== 0) return undefined;
    if ((each.atom.value & ~each.atom.mask) !== 0) return undefined;
    mask |= each.atom.mask;
    value |= each.atom.value;
  }
  const left = negated.filter(({ atom }) => {
    return atom.kind === 'flags' && ((value ^ atom.value) & mask & atom.mask) === 0;
  });
  // What may not be so, and is so by what else is said.
  const isRefuted = left.some(({ atom }) => atom.kind === 'flags' && (atom.mask & ~mask) === 0);
  if (isRefuted) return undefined;
  return [
    ...(mask === 0 ? [] : [{ atom: { kind: 'flags', mask, value }, isNegated: false } as const]),
    ...left,
  ];
}

const contradict = (one: Literal, other: Literal): boolean =>
  one.isNegated !== other.isNegated && sameText(one.atom) === sameText(other.atom);

const sameText = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (inner instanceof Uint8Array ? [...inner] : inner));

function unique(term: Term): Term {
  const seen = new Set<string>();
  return term.filter((each) => {
    const text = sameText(each);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
