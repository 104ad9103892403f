/** Sets of numbers as they stand in a match. */
import type { Numbers } from './match.js';

export function includesNumber(numbers: Numbers, n: number): boolean {
  if (typeof numbers === 'number') return numbers === n;
  if ('from' in numbers) return n >= numbers.from && (numbers.to === undefined || n <= numbers.to);
  return numbers.includes(n);
}

/** An absent clause allows everything; an unknown value fits no clause. */
export const allows = (numbers: Numbers | undefined, n: number | undefined): boolean =>
  numbers === undefined || (n !== undefined && includesNumber(numbers, n));
