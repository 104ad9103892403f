/** Reads tokens one after the other, and says what was expected at the one that does not fit. */

import { nearNames } from '../text/index.js';
import { PlanError } from './plan-error.js';
import { type Token, type TokenKind, tokenize } from './tokens.js';

const MS_PER_UNIT: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, min: 60_000 };

/** Parentheses and negations within each other. */
const MAX_DEPTH = 100;

export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(readonly line: string) {
    this.#tokens = tokenize(line);
  }

  peek(ahead = 0): Token {
    const token = this.#tokens[this.#at + ahead] ?? this.#tokens.at(-1);
    if (token === undefined) throw new Error('a line has at least its end');
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  is(kind: TokenKind, ahead = 0): boolean {
    return this.peek(ahead).kind === kind;
  }

  /** Whether the token is one of these words or marks, in any case. */
  isAny(texts: readonly string[], ahead = 0): boolean {
    const { kind, text } = this.peek(ahead);
    return (kind === 'word' || kind === 'mark') && texts.includes(text.toLowerCase());
  }

  /** Goes on behind these words or marks when all of them are next. */
  skip(...texts: readonly string[]): boolean {
    if (!texts.every((text, ahead) => this.isAny([text], ahead))) return false;
    this.#at += texts.length;
    return true;
  }

  expect(text: string, purpose = ''): void {
    if (!this.skip(text)) this.fail(`"${text}"${purpose}`);
  }

  /** One of these words, however its case. `what` names them in the error. */
  oneOf<T extends string>(words: readonly T[], what: string): T {
    const { kind, text } = this.peek();
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    if (kind !== 'word' || found === undefined) this.fail(what, words);
    this.#at += 1;
    return found;
  }

  number(what: string): number {
    if (!this.is('number')) this.fail(what);
    return Number(this.next().text);
  }

  durationMs(): number {
    if (!this.is('duration')) this.fail('a time such as 300ms or 1.5s');
    const { text } = this.next();
    const [, amount = '', unit = ''] = /^([\d.]+)(\w+)$/.exec(text) ?? [];
    return Number(amount) * (MS_PER_UNIT[unit] ?? 1);
  }

  string(what: string): string {
    if (!this.is('string')) this.fail(what);
    const value: unknown = this.#parsed();
    return typeof value === 'string' ? value : this.fail(what);
  }

  json(): unknown {
    if (!this.is('json')) this.fail('an object in braces');
    return this.#parsed();
  }

  #parsed(): unknown {
    try {
      const value: unknown = JSON.parse(this.peek().text);
      this.#at += 1;
      return value;
    } catch {
      return this.fail('JSON');
    }
  }

  /** For what contains itself: more than a person would write is refused, before the stack runs out. */
  nested<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.fail(`no more than ${MAX_DEPTH} levels`);
    this.#depth += 1;
    const value = read();
    this.#depth -= 1;
    return value;
  }

  /** Throws what was expected instead of the next token: the word that was likely meant, or all that can stand here. */
  fail(expected: string, words: readonly string[] = []): never {
    const { kind, text, column } = this.peek();
    const found = kind === 'end' ? 'it ends too early' : `at ${kind === 'string' ? text : `"${text}"`}`;
    const guess = kind === 'word' ? nearNames(text, words)[0] : undefined;
    const all = words.length === 0 ? '' : ` (${words.join(', ')})`;
    const hint = guess === undefined ? all : `; did you mean "${guess}"?`;
    throw new PlanError(`in "${this.line}", column ${column}: ${found}: expected ${expected}${hint}`);
  }
}
