/**
 * Matches in the one-line form, by recursive descent:
 *
 *     match  = and { "or" and }            and = unary { "and" unary }
 *     unary  = "not" unary | pick { clause }
 *     pick   = [ "first" [N] ] [ copies ] [ ordinals ] noun
 *     copies = ( ordinals "copy of" | "every copy of" | "retransmission of" )
 *     noun   = [ side "." ] ( role | "segment" ) [ N ] | "(" match ")" | JSON
 */

import { type Clause, clause } from './clause-grammar.js';
import type { Side } from './flow.js';
import type { Match } from './match.js';
import { isOrdinal, ordinals } from './number-grammar.js';
import { matchSchema } from './schema.js';
import { issueText } from './schema-issue.js';
import type { TokenReader } from './token-reader.js';
import { isOneOf, ROLE_WORDS, SIDES } from './words.js';

const NOUNS = [...ROLE_WORDS, 'segment'] as const;

export function readMatch(reader: TokenReader): Match {
  const all = [readAnd(reader)];
  while (reader.skip('or')) all.push(readAnd(reader));
  return all.length === 1 ? (all[0] ?? {}) : { anyOf: all };
}

function readAnd(reader: TokenReader): Match {
  const all = [reader.nested(() => readUnary(reader))];
  while (reader.skip('and')) all.push(reader.nested(() => readUnary(reader)));
  return all.length === 1 ? (all[0] ?? {}) : { allOf: all };
}

function readUnary(reader: TokenReader): Match {
  if (reader.skip('not')) return { not: reader.nested(() => readUnary(reader)) };
  let match = readPick(reader);
  for (;;) {
    const more = clause(reader, readPick);
    if (more === undefined) return match;
    match = joined(reader, match, more);
  }
}

/** A segment by its name, without clauses: what a clause can refer to. */
export function readPick(reader: TokenReader): Match {
  let match: Match = {};
  const add = (more: Match) => {
    match = joined(reader, match, more);
  };
  reader.skip('the');
  if (reader.isAny(['first']) && !reader.isAny(['copy', 'and', 'to', ','], 1)) {
    reader.next();
    add({ atMost: reader.is('number') ? reader.number('how many') : 1 });
  }
  add(readCopies(reader));
  if (isOrdinal(reader)) {
    const places = ordinals(reader);
    if (reader.skip('copy', 'of') || reader.skip('copies', 'of')) add({ copies: places });
    else add({ nth: places });
  }
  if (match.nth === undefined && isOrdinal(reader)) add({ nth: ordinals(reader) });
  add(readNoun(reader));
  return match;
}

function readCopies(reader: TokenReader): Match {
  if (reader.skip('retransmission', 'of') || reader.skip('retransmissions', 'of'))
    return { copies: { from: 2 } };
  if (reader.skip('every', 'copy', 'of') || reader.skip('all', 'copies', 'of')) return { copies: 'every' };
  // "every final-ack" says what "final-ack" says.
  reader.skip('every');
  return {};
}

function readNoun(reader: TokenReader): Match {
  if (reader.skip('(')) {
    const match = readMatch(reader);
    reader.expect(')');
    return match;
  }
  if (reader.is('json')) return readJson(reader);
  const sender = readSender(reader);
  const { text } = reader.peek();
  const noun = text.toLowerCase();
  const singular = noun.replace(/s$/, '');
  const role = isOneOf(NOUNS, noun) ? noun : isOneOf(NOUNS, singular) ? singular : undefined;
  if (role === undefined) reader.fail('what to pick', NOUNS);
  reader.next();
  const isPlace = reader.is('number') && !reader.isAny(['time', 'times'], 1);
  return {
    ...(role !== 'segment' && { role }),
    ...(sender !== undefined && { sender }),
    ...(isPlace && { nth: reader.number('a place') }),
  };
}

function readSender(reader: TokenReader): Side | undefined {
  if (!reader.isAny(['.'], 1)) return undefined;
  const side = reader.oneOf(SIDES, 'a side');
  reader.expect('.');
  return side;
}

function readJson(reader: TokenReader): Match {
  const { column } = reader.peek();
  const result = matchSchema.safeParse(reader.json());
  if (result.success) return result.data;
  throw issueText(`in "${reader.line}", column ${column}`, result.error);
}

/** Both sets of clauses, unless one says again what the other says. */
function joined(reader: TokenReader, match: Match, more: Clause): Match {
  const twice = Object.keys(more).find((name) => name in match);
  if (twice === undefined) return { ...match, ...more };
  return reader.fail(`something other than a second word on ${twice}`);
}
