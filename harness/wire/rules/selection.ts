/**
 * A plan as rules see it: for each fault the alternatives that it picks by, what it counts, and the order in which rules act.
 * All that no dialect has words for is refused here.
 */
import {
  type Fault,
  faultLine,
  type Match,
  matchLine,
  type RoleWord,
  SIDES,
  type Side,
  type SinceMatch,
} from '../../fault/index.js';
import { literalsOf, type Term } from './atom.js';
import { clauseText, formulaOf } from './formula.js';
import { includes } from './ranges.js';
import type { Refusal, Refuse } from './refusal.js';
import { TooManyTerms, termsOf } from './terms.js';
import { windowRefusal, withRawWindows } from './window.js';

export interface Selection {
  readonly fault: Fault;
  /** The fault as a line. */
  readonly text: string;
  /** Its place in the plan, from 1. */
  readonly number: number;
  readonly terms: readonly Term[];
  /** Only so many of the first are picked. */
  readonly atMost?: number;
  /** It acts so often. */
  readonly times?: number;
  readonly since?: Since;
  /** Where the rule is not quite the fault. */
  readonly notes: readonly string[];
}

/** Counted from the first segment that any of the terms holds for. */
export interface Since extends Omit<SinceMatch, 'event'> {
  readonly event: readonly Term[];
}

export interface Selections {
  /** In the order of the rules: what drops comes first, since nothing else happens to what is dropped. */
  readonly selections: readonly Selection[];
  readonly refusals: readonly Refusal[];
}

export function selectionsOf(faults: readonly Fault[]): Selections {
  const refusals: Refusal[] = [];
  const selections = faults.map((fault, i) => {
    const refuse: Refuse = (part, why) => refusals.push({ fault: fault.id, part, why });
    return selectionOf(fault, i + 1, refuse);
  });
  const isDrop = ({ fault }: Selection) => fault.action.kind === 'drop';
  const ordered = [...selections.filter(isDrop), ...selections.filter((each) => !isDrop(each))];
  refusals.push(...hiddenCounts(ordered));
  return { selections: ordered.map(withHiddenNote), refusals };
}

function selectionOf(fault: Fault, number: number, refuse: Refuse): Selection {
  const { atMost, since, ...match } = fault.match;
  const event = since?.event;
  if (since !== undefined && event === undefined)
    refuse(clauseText({ since }), 'rules have no moment at which the wire started');
  const terms = termsIn(match, refuse);
  const notes = [...keepAliveNotes(match, terms), ...(since === undefined ? [] : [SINCE_NOTE])];
  return {
    fault,
    text: faultLine(fault),
    number,
    terms,
    notes,
    ...(atMost !== undefined && { atMost }),
    ...(fault.times !== undefined && { times: fault.times }),
    ...(since !== undefined &&
      event !== undefined && { since: { ...since, event: termsIn(event, refuse, 'event') } }),
  };
}

const SINCE_NOTE = 'times are counted in ticks of the kernel';

function termsIn(match: Match, refuse: Refuse, part?: 'event'): readonly Term[] {
  // The event is the first that matches in any case.
  const { atMost, ...rest } = match;
  const asked = part === 'event' && atMost !== undefined ? rest : match;
  try {
    const terms = termsOf(formulaOf(asked, refuse));
    if (terms.some((term) => windowRefusal(term) !== undefined)) {
      const why = terms.map(windowRefusal).find((each) => each !== undefined);
      refuse('window', why ?? '');
    }
    return terms.map(withRawWindows).filter((term) => term !== undefined);
  } catch (error) {
    if (!(error instanceof TooManyTerms)) throw error;
    refuse(matchLine(match), error.message);
    return [];
  }
}

/** Keep-alives and probes are told from ACKs and data by their sequence number alone. */
function keepAliveNotes(match: Match, terms: readonly Term[]): string[] {
  const roles = rolesIn(match);
  const allowsOctet = terms.some((term) =>
    literalsOf(term, 'length').some(({ atom }) => includes(atom.ranges, 1)),
  );
  return [
    ...(roles.has('pure-ack')
      ? ['a keep-alive or window probe without data looks like an ACK, and is taken for one']
      : []),
    ...(roles.has('data') && allowsOctet
      ? ['a keep-alive with an octet (Linux sends none) looks like data, and is taken for it']
      : []),
  ];
}

function rolesIn({ role, allOf = [], anyOf = [], not }: Match): ReadonlySet<RoleWord> {
  const inner = [...allOf, ...anyOf, ...(not === undefined ? [] : [not])];
  return new Set([...(role === undefined ? [] : [role]), ...inner.flatMap((each) => [...rolesIn(each)])]);
}

/** What counts all that it picks must see what an earlier drop takes away. */
function hiddenCounts(ordered: readonly Selection[]): Refusal[] {
  return ordered.flatMap(({ fault, atMost, since }, i) => {
    if (i === 0 || (atMost === undefined && since === undefined)) return [];
    const part = clauseText(
      atMost === undefined ? { ...(fault.match.since && { since: fault.match.since }) } : { atMost },
    );
    return [
      {
        fault: fault.id,
        part,
        why: 'it cannot see what a rule before it has dropped: put it into a plan of its own, or first',
      },
    ];
  });
}

function withHiddenNote(selection: Selection, i: number): Selection {
  if (i === 0) return selection;
  return {
    ...selection,
    notes: [...selection.notes, 'what a rule before it has dropped is not counted as matched'],
  };
}

/** The sides that a fault has to see: of what it picks, and of the event it waits for. */
export const sendersOf = ({ terms, since }: Selection): readonly Side[] =>
  sidesOf([...terms, ...(since?.event ?? [])]);

export const sidesOf = (terms: readonly Term[]): readonly Side[] =>
  SIDES.filter((side) =>
    terms.some((term) => literalsOf(term, 'sender').every(({ atom }) => atom.side === side)),
  );

/** The second would be asked for what the first has made of the segment. */
export function tooManyRewrites(selections: readonly Selection[]): readonly Refusal[] {
  const [, ...others] = selections.filter(({ fault }) => fault.action.kind === 'rewrite');
  return others.map(({ fault }) => ({
    fault: fault.id,
    part: 'rewrite',
    why: 'it would see what the one before it has made of the segment: one rewrite to a plan',
  }));
}
