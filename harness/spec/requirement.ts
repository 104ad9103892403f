/** The requirement catalogue: what RFC 9293 and its companions ask of a TCP, each row with an id to cite it by. */
import { didYouMean } from '../text/index.js';
import { RELATED_TABLE } from './catalogue/related.js';
import { RFC9293_TABLE } from './catalogue/rfc9293.js';

/**
 * How binding a requirement is. `rule` is text of the specification without a key word, as binding as its
 * algorithm; `info` is advice, a hazard or a correction that a report may cite but no verdict rests on.
 */
export type Strength = 'must' | 'should' | 'may' | 'rule' | 'info';

export interface Requirement {
  /** `MUST-13`, `NOID-31` (RFC 9293 gives no id), `R6298-15` (another RFC). */
  readonly id: string;
  readonly rfc: number;
  /** As the RFC numbers it; several are separated by a comma or a slash. */
  readonly section: string;
  /** The RFC's own key words, with a remark in brackets where they need one. */
  readonly level: string;
  readonly strength: Strength;
  /** What it asks for, in our words. */
  readonly paraphrase: string;
  /** Whether it can be seen from outside. */
  readonly testable: 'yes' | 'partly' | 'no';
  /** Which kind of scenario shows it: handshake, close, timers, data, … */
  readonly setting: string;
  readonly note: string;
  /** Where the wording was confirmed, for RFCs other than 9293. */
  readonly confirmed?: string;
}

const STRENGTHS: readonly (readonly [RegExp, Strength])[] = [
  [/^MUST \(withdrawn\)/, 'info'],
  [/^MUST/, 'must'],
  [/^(SHOULD|RECOMMENDED)/, 'should'],
  [/^MAY/, 'may'],
  [/^rule/, 'rule'],
  [/^(info|note|hazard|fix|correction|DISCUSSION)/, 'info'],
];

export function strengthOf(level: string): Strength {
  const found = STRENGTHS.find(([pattern]) => pattern.test(level));
  if (found === undefined) throw new Error(`the catalogue has a level that nobody explained: "${level}"`);
  return found[1];
}

const fieldsOf = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));

function testability(text: string): Requirement['testable'] {
  if (text === 'yes' || text === 'partly' || text === 'no') return text;
  throw new Error(`the catalogue says testable "${text}": it must be yes, partly or no`);
}

const ofRfc9293 = fieldsOf(RFC9293_TABLE).map(
  ([id = '', level = '', section = '', paraphrase = '', testable = '', setting = '', note = '']) =>
    ({
      id,
      rfc: 9293,
      section,
      level,
      strength: strengthOf(level),
      paraphrase,
      testable: testability(testable),
      setting,
      note,
    }) satisfies Requirement,
);

const ofOtherRfcs = fieldsOf(RELATED_TABLE).map(
  ([
    id = '',
    rfc = '',
    section = '',
    level = '',
    paraphrase = '',
    testable = '',
    setting = '',
    note = '',
    confirmed = '',
  ]) =>
    ({
      id,
      rfc: Number(rfc),
      section,
      level,
      strength: strengthOf(level),
      paraphrase,
      testable: testability(testable),
      setting,
      note,
      confirmed,
    }) satisfies Requirement,
);

/** All requirements, RFC 9293's first, in the order of the specifications. */
export const CATALOGUE: readonly Requirement[] = [...ofRfc9293, ...ofOtherRfcs];

const byId = new Map(CATALOGUE.map((requirement) => [requirement.id, requirement]));

/** The requirement with this id; throws with the nearest ids when there is none. */
export function requirement(id: string): Requirement {
  const found = byId.get(id);
  if (found !== undefined) return found;
  throw new Error(`no requirement is called "${id}"${didYouMean(id, [...byId.keys()])}`);
}

export const isRequirement = (id: string): boolean => byId.has(id);

/** How to cite it: `RFC 9293 §3.10.7.4 (NOID-31)`. */
export function clause(id: string): string {
  const { rfc, section } = requirement(id);
  const places = section
    .split(/\s*[/,]\s*/)
    .map((place) => (/^\d/.test(place) ? `§${place}` : place))
    .join(', ');
  return `RFC ${rfc} ${section.startsWith('errata') ? section : places} (${id})`;
}
