/** Numbers in the one-line form: `2nd`, `1st and 2nd`, `3rd and later`; `1460`, `1,5`, `0..100`, `5..`. */
import type { Numbers } from './match.js';
import type { TokenReader } from './token-reader.js';

const ORDINAL_WORDS = ['first', 'second', 'third'];

export const isOrdinal = (reader: TokenReader, ahead = 0): boolean =>
  reader.is('ordinal', ahead) || reader.isAny(ORDINAL_WORDS, ahead);

/** `1st`, `1st and 2nd`, `1st, 3rd and 4th`, `2nd to 4th`, `2nd and later`. */
export function ordinals(reader: TokenReader): Numbers {
  const first = ordinal(reader);
  if (isOrdinal(reader, 1) && reader.skip('to')) return { from: first, to: ordinal(reader) };
  if (reader.skip('and', 'later') || reader.skip('or', 'later')) return { from: first };
  const all = [first];
  while (isOrdinal(reader, 1) && (reader.skip(',') || reader.skip('and') || reader.skip('or'))) {
    all.push(ordinal(reader));
  }
  return all.length === 1 ? first : all;
}

function ordinal(reader: TokenReader): number {
  if (!isOrdinal(reader)) reader.fail('a place such as 1st or 2nd');
  const { kind, text } = reader.peek();
  const n = kind === 'ordinal' ? Number.parseInt(text, 10) : ORDINAL_WORDS.indexOf(text.toLowerCase()) + 1;
  if (n === 0) reader.fail('a place counted from 1st');
  reader.next();
  return n;
}

export function plainNumbers(reader: TokenReader, what: string): Numbers {
  const first = reader.number(what);
  if (reader.skip('..'))
    return reader.is('number') ? { from: first, to: reader.number(what) } : { from: first };
  const all = [first];
  while (reader.is('number', 1) && reader.skip(',')) all.push(reader.number(what));
  return all.length === 1 ? first : all;
}

export function ordinalsText(numbers: Numbers): string {
  if (typeof numbers === 'number') return ordinalText(numbers);
  if ('from' in numbers) {
    const { from, to } = numbers;
    return to === undefined ? `${ordinalText(from)} and later` : `${ordinalText(from)} to ${ordinalText(to)}`;
  }
  const texts = numbers.map(ordinalText);
  return texts.length === 1 ? texts.join() : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}

export function plainNumbersText(numbers: Numbers): string {
  if (typeof numbers === 'number') return String(numbers);
  return 'from' in numbers ? `${numbers.from}..${numbers.to ?? ''}` : numbers.join(',');
}

function ordinalText(n: number): string {
  const isTeen = n % 100 >= 11 && n % 100 <= 13;
  const ending = isTeen ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[n % 10] ?? 'th');
  return `${n}${ending}`;
}
