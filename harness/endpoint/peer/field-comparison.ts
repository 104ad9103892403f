/** One field at a time: what was expected, what came, and whether they agree. */
import type { ExpectedNumber } from './expected-segment.js';

/** One field of an expectation beside what came. */
export interface FieldComparison {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
  readonly matches: boolean;
}

export const row = (field: string, expected: string, got: string, matches: boolean): FieldComparison => ({
  field,
  expected,
  got,
  matches,
});

export function matchesNumber(wanted: ExpectedNumber, got: number): boolean {
  if (typeof wanted === 'number') return wanted === got;
  if (typeof wanted === 'function') return wanted(got);
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = wanted;
  return got >= atLeast && got <= atMost;
}

export function numberText(wanted: ExpectedNumber): string {
  if (typeof wanted === 'number') return String(wanted);
  if (typeof wanted === 'function') return predicateText(wanted);
  const { atLeast, atMost } = wanted;
  if (atMost === undefined) return `at least ${atLeast}`;
  return atLeast === undefined ? `at most ${atMost}` : `${atLeast} to ${atMost}`;
}

const MOST_SOURCE = 60;

export function predicateText(predicate: { toString(): string }): string {
  const source = predicate.toString().replace(/\s+/g, ' ');
  return source.length > MOST_SOURCE ? `${source.slice(0, MOST_SOURCE)}…` : source;
}
