/** What can stand behind the name of a segment in the one-line form: `from client`, `with mss 1460`, `after server.fin`. */
import { otherSide } from './flow.js';
import type { FlagsMatch, Match, OptionsMatch, PayloadMatch, SinceMatch } from './match.js';
import { plainNumbers } from './number-grammar.js';
import type { TokenReader } from './token-reader.js';
import { FLAG_NAMES, isOneOf, OPTION_KINDS, OPTION_VALUES, SIDES } from './words.js';

export type Clause = Match;
type ReadPick = (reader: TokenReader) => Match;

const WITH_WORDS = ['exactly', 'flags', 'option', 'window', ...OPTION_VALUES] as const;

/** The next clause, if one follows; `pick` reads the segment that it refers to. */
export function clause(reader: TokenReader, pick: ReadPick): Clause | undefined {
  if (reader.skip('from')) return { sender: reader.oneOf(SIDES, 'a side') };
  if (reader.is('word', 1) && reader.skip('to')) return { sender: otherSide(reader.oneOf(SIDES, 'a side')) };
  if (reader.skip('in', 'flow')) return { flow: plainNumbers(reader, 'the number of a connection') };
  if (reader.skip('at', 'seq')) return { relSeq: plainNumbers(reader, 'a relative sequence number') };
  if (reader.skip('at', 'ack')) return { relAck: plainNumbers(reader, 'a relative acknowledgment number') };
  if (reader.skip('covering')) return { covers: reader.number('a relative sequence number') };
  if (reader.skip('acknowledging')) return { acknowledges: pick(reader) };
  if (reader.skip('but', 'not')) return { not: pick(reader) };
  if (reader.isAny(['with', 'without'])) return withClause(reader);
  return payloadClause(reader) ?? sinceClause(reader, pick);
}

/** Several `with` in a row are one clause each of flags and of options. */
function withClause(reader: TokenReader): Clause {
  let flags: FlagsMatch = {};
  let options: OptionsMatch = {};
  let clauses: Clause = {};
  while (reader.isAny(['with', 'without'])) {
    if (reader.skip('without')) {
      if (reader.skip('option')) options = { ...options, absent: list(reader, OPTION_KINDS, 'an option') };
      else flags = { ...flags, none: flagList(reader) };
      continue;
    }
    reader.expect('with');
    if (isOneOf(FLAG_NAMES, reader.peek().text.toUpperCase())) {
      flags = { ...flags, all: flagList(reader) };
      continue;
    }
    const word = reader.oneOf(WITH_WORDS, 'what it is with');
    if (word === 'flags') flags = { ...flags, all: flagList(reader) };
    else if (word === 'exactly') flags = { ...flags, exactly: flagList(reader) };
    else if (word === 'option') options = { ...options, present: list(reader, OPTION_KINDS, 'an option') };
    else if (word === 'window') clauses = { window: plainNumbers(reader, 'octets') };
    else options = { ...options, [word]: plainNumbers(reader, 'a value') };
  }
  return {
    ...clauses,
    ...(Object.keys(flags).length > 0 && { flags }),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

/** Flags, separated by commas; "none" for no flag at all. */
export function flagList(reader: TokenReader) {
  reader.skip('flags');
  return reader.skip('none') ? [] : list(reader, FLAG_NAMES, 'a TCP flag');
}

export function list<T extends string>(reader: TokenReader, words: readonly T[], what: string): T[] {
  const all = [reader.oneOf(words, what)];
  // A comma may as well end the list: `flags=SYN, window=0`.
  while (reader.isAny([','], 0) && reader.is('word', 1) && !reader.isAny(['='], 2)) {
    reader.expect(',');
    all.push(reader.oneOf(words, what));
  }
  return all;
}

function payloadClause(reader: TokenReader): Clause | undefined {
  let payload: PayloadMatch = {};
  for (;;) {
    if (reader.is('number', 1) && reader.skip('of')) {
      payload = { ...payload, length: plainNumbers(reader, 'a number of octets') };
      if (!reader.skip('octets') && !reader.skip('bytes')) reader.expect('octets');
    } else if (reader.skip('containing', 'hex')) {
      payload = { ...payload, containsHex: reader.string('hexadecimal digits in quotes') };
    } else if (reader.skip('containing')) {
      payload = { ...payload, contains: reader.string('text in quotes') };
    } else return Object.keys(payload).length === 0 ? undefined : { payload };
  }
}

/** `after E`, `within 5ms of E`, `5ms after E`, `5ms to 9ms after E`; E may be `start`. */
function sinceClause(reader: TokenReader, pick: ReadPick): Clause | undefined {
  let span: SinceMatch = {};
  if (reader.skip('within')) {
    span = { atMostMs: reader.durationMs() };
    reader.expect('of', ' and the segment it is counted from');
  } else if (reader.is('duration')) {
    span = { atLeastMs: reader.durationMs() };
    if (reader.skip('to')) span = { ...span, atMostMs: reader.durationMs() };
    reader.expect('after', ' and the segment it is counted from');
  } else if (reader.is('number', 1) || reader.is('duration', 1) || !reader.skip('after')) {
    return undefined;
  }
  if (reader.skip('start')) return { since: span };
  return { since: { event: pick(reader), ...span } };
}
