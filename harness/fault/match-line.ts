/** Matches as people say them: the words of `match-grammar`, or JSON for the few that have none. */
import type { Match, SinceMatch } from './match.js';
import { readMatch } from './match-grammar.js';
import { ordinalsText, plainNumbersText } from './number-grammar.js';
import { PlanError } from './plan-error.js';
import { sortedJson } from './sorted-json.js';
import { TokenReader } from './token-reader.js';
import { OPTION_VALUES } from './words.js';

/** Reads back as the same match. */
export function matchLine(match: Match): string {
  const text = [...orTerms(match)].join(' or ');
  return says(text, match) ? text : sortedJson(match);
}

/** Whether the words mean just this: what they leave out (a list of one, an empty clause) is left to JSON. */
function says(text: string, match: Match): boolean {
  try {
    const reader = new TokenReader(text);
    return sortedJson(readMatch(reader)) === sortedJson(match) && reader.is('end');
  } catch (error) {
    if (error instanceof PlanError) return false;
    throw error;
  }
}

const isOnly = (match: Match, name: keyof Match): boolean => name in match && Object.keys(match).length === 1;

function orTerms(match: Match): readonly string[] {
  return isOnly(match, 'anyOf') ? (match.anyOf ?? []).map(andText) : [andText(match)];
}

function andText(match: Match): string {
  if (isOnly(match, 'anyOf')) return nested(match);
  return isOnly(match, 'allOf') ? (match.allOf ?? []).map(unaryText).join(' and ') : unaryText(match);
}

function unaryText(match: Match): string {
  if (isOnly(match, 'anyOf') || isOnly(match, 'allOf')) return nested(match);
  if (isOnly(match, 'not') && match.not !== undefined) return `not ${unaryText(match.not)}`;
  return [pickText(match), ...clauseTexts(match)].join(' ');
}

const nested = (match: Match): string => `(${matchLine(match)})`;

const PICK_NAMES = ['role', 'sender', 'nth', 'copies', 'atMost'];

/** What a clause refers to: in parentheses when it has clauses itself. */
function referText(match: Match): string {
  return Object.keys(match).every((name) => PICK_NAMES.includes(name)) ? pickText(match) : nested(match);
}

function pickText(match: Match): string {
  const { atMost, copies, nth } = match;
  const words: string[] = [];
  if (atMost !== undefined) words.push(atMost === 1 ? 'first' : `first ${atMost}`);
  if (copies === 'every') words.push('every copy of');
  else if (copies !== undefined) words.push(`${ordinalsText(copies)} copy of`);
  if (nth !== undefined) words.push(ordinalsText(nth));
  return [...words, nounText(match)].join(' ');
}

function nounText({ role, sender, anyOf, allOf }: Match): string {
  if (anyOf !== undefined) return nested({ anyOf });
  if (allOf !== undefined) return nested({ allOf });
  return `${sender === undefined ? '' : `${sender}.`}${role ?? 'segment'}`;
}

function clauseTexts(match: Match): string[] {
  const { sender, flow, relSeq, relAck, covers, acknowledges, not, since, anyOf, allOf } = match;
  const clauses: string[] = [];
  // A group has no place for the side in front of it.
  if (sender !== undefined && (anyOf ?? allOf) !== undefined) clauses.push(`from ${sender}`);
  if (flow !== undefined) clauses.push(`in flow ${plainNumbersText(flow)}`);
  if (relSeq !== undefined) clauses.push(`at seq ${plainNumbersText(relSeq)}`);
  if (relAck !== undefined) clauses.push(`at ack ${plainNumbersText(relAck)}`);
  if (covers !== undefined) clauses.push(`covering ${covers}`);
  clauses.push(...withTexts(match), ...payloadTexts(match));
  if (acknowledges !== undefined) clauses.push(`acknowledging ${referText(acknowledges)}`);
  if (since !== undefined) clauses.push(sinceText(since));
  if (not !== undefined) clauses.push(`but not ${referText(not)}`);
  return clauses;
}

function withTexts({ flags = {}, options = {}, window }: Match): string[] {
  const { present, absent } = options;
  const flagNames = (names: readonly string[]) => (names.length === 0 ? 'none' : names.join(','));
  return [
    ...(flags.all === undefined ? [] : [`with flags ${flagNames(flags.all)}`]),
    ...(flags.none === undefined ? [] : [`without flags ${flagNames(flags.none)}`]),
    ...(flags.exactly === undefined ? [] : [`with exactly ${flagNames(flags.exactly)}`]),
    ...(present === undefined ? [] : [`with option ${present.join(',')}`]),
    ...(absent === undefined ? [] : [`without option ${absent.join(',')}`]),
    ...OPTION_VALUES.flatMap((name) => {
      const numbers = options[name];
      return numbers === undefined ? [] : [`with ${name} ${plainNumbersText(numbers)}`];
    }),
    ...(window === undefined ? [] : [`with window ${plainNumbersText(window)}`]),
  ];
}

function payloadTexts({ payload = {} }: Match): string[] {
  const { length, contains, containsHex } = payload;
  return [
    ...(length === undefined ? [] : [`of ${plainNumbersText(length)} octets`]),
    ...(contains === undefined ? [] : [`containing ${JSON.stringify(contains)}`]),
    ...(containsHex === undefined ? [] : [`containing hex ${JSON.stringify(containsHex)}`]),
  ];
}

function sinceText({ event, atLeastMs, atMostMs }: SinceMatch): string {
  const start = event === undefined ? 'start' : referText(event);
  if (atLeastMs === undefined)
    return atMostMs === undefined ? `after ${start}` : `within ${atMostMs}ms of ${start}`;
  return `${atLeastMs}ms ${atMostMs === undefined ? '' : `to ${atMostMs}ms `}after ${start}`;
}
