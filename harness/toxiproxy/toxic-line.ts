/**
 * Toxics in one line, as faults have theirs: `slow_close downstream delay 500ms`, `limit_data downstream 100`, `down`. The
 * word of the first attribute may be left out; so may the stream, which is `downstream` then.
 */
import { durationMs, durationText } from '../clock/index.js';
import { messageOf } from '../text/index.js';
import { noSuchToxic, readToxic, STREAMS, streamOf, type Toxic } from './toxic.js';
import { type Attribute, attributesOf, TOXIC_KIND_NAMES, type ToxicKind } from './toxic-kinds.js';
import { ToxiproxyError } from './toxiproxy-error.js';

/** Throws a `ToxiproxyError` that names the word which does not fit. */
export function parseToxic(line: string): Toxic {
  const where = `in "${line}"`;
  const [type = '', ...words] = line.trim().split(/\s+/);
  if (type === 'down')
    return words.length === 0 ? { type } : refuse(where, words[0], 'nothing behind "down"');
  const kind = TOXIC_KIND_NAMES.find((name) => name === type);
  if (kind === undefined) throw noSuchToxic(where, type);
  const stream = STREAMS.find((each) => each === words[0]);
  const rest = stream === undefined ? words : words.slice(1);
  return readToxic(
    { type, ...(stream === undefined ? {} : { stream }), ...readAttributes(kind, rest, where) },
    where,
  );
}

/** A toxic as a line or as data. */
export const asToxic = (toxic: Toxic | string): Toxic =>
  typeof toxic === 'string' ? parseToxic(toxic) : readToxic(toxic);

function readAttributes(kind: ToxicKind, words: readonly string[], where: string): Record<string, unknown> {
  const attributes = attributesOf(kind);
  const found: Record<string, unknown> = {};
  const [first] = attributes;
  let rest = words;
  // The first one without its word.
  if (first !== undefined && rest[0] !== undefined && /^\d/.test(rest[0])) rest = [first.word, ...rest];
  while (rest.length > 0) {
    const [word = '', value] = rest;
    const known = [...attributes.map((each) => each.word), 'toxicity', 'named'];
    const attribute = attributes.find((each) => each.word === word);
    if (!known.includes(word)) return refuse(where, word, `one of ${known.join(', ')}`);
    if (value === undefined) return refuse(where, undefined, `a value behind "${word}"`);
    if (attribute !== undefined) found[attribute.name] = readValue(attribute, value, where);
    else found[word === 'named' ? 'name' : word] = word === 'named' ? value : readShare(value, where);
    rest = rest.slice(2);
  }
  return found;
}

function readValue({ unit }: Attribute, text: string, where: string): number {
  switch (unit) {
    case 'ms':
    case 'us':
      try {
        return Math.round(durationMs(text) * (unit === 'us' ? 1000 : 1));
      } catch (error) {
        throw new ToxiproxyError('bad-toxic', `${where}: ${messageOf(error)}`);
      }
    case 'share':
      return readShare(text, where);
    default:
      return /^\d+(kB\/s|kBps)?$/.test(text)
        ? Number.parseInt(text, 10)
        : refuse(where, text, 'a whole number');
  }
}

function readShare(text: string, where: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (number === undefined) return refuse(where, text, 'a share such as 50% or 0.5');
  return percent === '%' ? Number(number) / 100 : Number(number);
}

function refuse(where: string, word: string | undefined, expected: string): never {
  const found = word === undefined ? 'it ends too early' : `at "${word}"`;
  throw new ToxiproxyError('bad-toxic', `${where}: ${found}: expected ${expected}`);
}

/** The line that says what a toxic is; `parseToxic` reads it. */
export function toxicText(toxic: Toxic): string {
  if (toxic.type === 'down') return 'down';
  const given = new Map<string, unknown>(Object.entries(toxic));
  const parts = attributesOf(toxic.type).flatMap((attribute) => {
    const value = given.get(attribute.name);
    return typeof value === 'number' ? [`${attribute.word} ${valueText(attribute, value)}`] : [];
  });
  const share = toxic.toxicity === undefined ? [] : [`toxicity ${toxic.toxicity}`];
  const named = toxic.name === undefined ? [] : [`named ${toxic.name}`];
  return [toxic.type, streamOf(toxic), ...parts, ...share, ...named].join(' ');
}

function valueText({ unit }: Attribute, value: number): string {
  if (unit === 'ms') return durationText(value);
  if (unit === 'us') return durationText(value / 1000);
  return unit === 'kilobytesPerSecond' ? `${value}kBps` : String(value);
}
