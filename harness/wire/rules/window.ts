/**
 * Windows as rules see them. SEG.WND counts in units that the two SYNs agreed upon (RFC 7323 section 2.2), which no rule
 * remembers. On a SYN the field is never scaled, and 0 is 0 in any unit.
 */
import { impliesSyn, type Literal, literalsOf, MOST, type Term } from './atom.js';
import { intersection, type Ranges } from './ranges.js';

const FIELD: Ranges = [{ from: 0, to: MOST.window }];

/** Whether it depends on nothing but whether the window is 0. */
const isAboutZero = (ranges: Ranges): boolean =>
  ranges.length === 0 ||
  (ranges.length === 1 &&
    ranges[0] !== undefined &&
    ((ranges[0].from <= 1 && ranges[0].to === Number.MAX_SAFE_INTEGER) ||
      (ranges[0].from === 0 && ranges[0].to === 0)));

/** Why the windows of a term cannot be compared, if so. */
export function windowRefusal(term: Term): string | undefined {
  const isSaid = literalsOf(term, 'window').every(({ atom }) => impliesSyn(term) || isAboutZero(atom.ranges));
  return isSaid
    ? undefined
    : 'windows are scaled as the SYNs agreed, which no rule remembers: only "window 0", "window 1.." and those of SYNs can be told';
}

/** The term with windows as carried; undefined where no field has such a window. */
export function withRawWindows(term: Term): Term | undefined {
  const literals = term.map((each): Literal => {
    const { atom } = each;
    if (atom.kind !== 'window') return each;
    return { atom: { kind: 'window', ranges: intersection(atom.ranges, FIELD) }, isNegated: false };
  });
  const isPossible = literals.every(({ atom }) => atom.kind !== 'window' || atom.ranges.length > 0);
  return isPossible ? literals : undefined;
}
