/** Cuts the one-line form of a fault into words, numbers and marks. */
import { PlanError } from './plan-error.js';

export type TokenKind = 'word' | 'number' | 'ordinal' | 'duration' | 'string' | 'json' | 'mark' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As it stands in the line. */
  readonly text: string;
  /** Column, from 1. */
  readonly column: number;
}

/** In the order in which they are tried: `3rd` before `3`, `3ms` before `3`. */
const SHAPES: readonly (readonly [TokenKind, RegExp])[] = [
  ['string', /"(?:[^"\\]|\\.)*"/y],
  ['duration', /\d+(?:\.\d+)?(?:ns|us|ms|s|min)(?![A-Za-z])/y],
  ['ordinal', /\d+(?:st|nd|rd|th)(?![A-Za-z])/iy],
  ['number', /\d+/y],
  ['word', /[A-Za-z]+\d*(?:-[A-Za-z]+)*/y],
  ['mark', /\.\.|[.,():=+-]/y],
];

/** Throws a `PlanError` at what is none of them. */
export function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(line[at] ?? '')) at += 1;
    const column = at + 1;
    if (at >= line.length) return [...tokens, { kind: 'end', text: 'the end', column }];
    const token = line[at] === '{' ? jsonToken(line, at) : shapedToken(line, at);
    if (token === undefined) {
      throw new PlanError(`in "${line}", column ${column}: "${line[at]}" has no place in a fault`);
    }
    tokens.push(token);
    at += token.text.length;
  }
}

function shapedToken(line: string, at: number): Token | undefined {
  for (const [kind, shape] of SHAPES) {
    shape.lastIndex = at;
    const text = shape.exec(line)?.[0];
    if (text !== undefined) return { kind, text, column: at + 1 };
  }
  return undefined;
}

/** From the brace on to the one that closes it. */
function jsonToken(line: string, at: number): Token | undefined {
  let depth = 0;
  for (const { 0: piece, index } of line.slice(at).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (piece === '{') depth += 1;
    if (piece === '}') depth -= 1;
    if (depth === 0) return { kind: 'json', text: line.slice(at, at + index + 1), column: at + 1 };
  }
  return undefined;
}
