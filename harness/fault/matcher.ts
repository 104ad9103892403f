/** Decides whether a segment is the one that a match describes. */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import { FLAG, hasFlags, type SeqNumber, seqAdd, seqGeq } from '../segment/index.js';
import { fitsClauses, partOf } from './clauses.js';
import { type Arrival, type FlowFacts, otherSide } from './flow.js';
import type { Match, SinceMatch } from './match.js';
import { allows, includesNumber } from './numbers.js';

export interface MatcherOptions {
  /** When the wire started, for `since` without event (default 0, the clock's epoch). */
  readonly startNs?: Nanos;
}

type Part = (arrival: Arrival, facts: FlowFacts) => boolean;

/** Stateful (ordinals, events): feed it every arrival of the wire, once each, in their order. */
export class Matcher {
  readonly match: Match;
  /** Clauses with a memory of their own: each is asked for every arrival, whatever the others say. */
  readonly #parts: readonly Part[];
  /** Ordinals of the segments that `nth` asks for, by the arrival id of their first transmission. */
  readonly #wanted = new Set<number>();
  #originals = 0;
  #count = 0;

  constructor(match: Match, options: MatcherOptions = {}) {
    this.match = match;
    const { since, acknowledges, allOf, anyOf, not } = match;
    const all = allOf?.map((each) => new Matcher(each, options));
    const any = anyOf?.map((each) => new Matcher(each, options));
    const none = not === undefined ? undefined : new Matcher(not, options);
    this.#parts = [
      ...(since === undefined ? [] : [sincePart(since, options)]),
      ...(acknowledges === undefined ? [] : [acknowledgesPart(acknowledges, options)]),
      ...(all === undefined ? [] : [(...it: Parameters<Part>) => countFitting(all, ...it) === all.length]),
      ...(any === undefined ? [] : [(...it: Parameters<Part>) => countFitting(any, ...it) > 0]),
      ...(none === undefined ? [] : [(...it: Parameters<Part>) => !none.test(...it)]),
    ];
  }

  test(arrival: Arrival, facts: FlowFacts): boolean {
    let fits = fitsClauses(this.match, arrival, facts);
    for (const part of this.#parts) fits = part(arrival, facts) && fits;
    if (!fits || !this.#isWantedCopy(facts)) return false;
    this.#count += 1;
    return this.match.atMost === undefined || this.#count <= this.match.atMost;
  }

  #isWantedCopy(facts: FlowFacts): boolean {
    const { nth, copies, role } = this.match;
    if (nth === undefined && copies === undefined) return true;
    const { copy, original } = partOf(facts, role);
    if (nth !== undefined) {
      if (copy === 1) {
        this.#originals += 1;
        if (includesNumber(nth, this.#originals)) this.#wanted.add(original);
      }
      if (!this.#wanted.has(original)) return false;
    }
    return copies === undefined ? copy === 1 : copies === 'every' || allows(copies, copy);
  }
}

function countFitting(matchers: readonly Matcher[], arrival: Arrival, facts: FlowFacts): number {
  let count = 0;
  for (const matcher of matchers) if (matcher.test(arrival, facts)) count += 1;
  return count;
}

/** The event itself is not behind itself. */
function sincePart({ event, atLeastMs = 0, atMostMs }: SinceMatch, options: MatcherOptions): Part {
  const matcher = event === undefined ? undefined : new Matcher(event, options);
  let eventNs = matcher === undefined ? (options.startNs ?? 0) : undefined;
  return (arrival, facts) => {
    const isEvent = matcher?.test(arrival, facts) ?? false;
    if (eventNs === undefined) {
      if (isEvent) eventNs = arrival.atNs;
      return false;
    }
    const afterNs = arrival.atNs - eventNs;
    return (
      afterNs >= atLeastMs * NANOS_PER_MS && (atMostMs === undefined || afterNs <= atMostMs * NANOS_PER_MS)
    );
  };
}

/** What acknowledges a later segment acknowledges the first as well: its end is all that must be remembered. */
function acknowledgesPart(match: Match, options: MatcherOptions): Part {
  const matcher = new Matcher(match, options);
  const ends = new Map<string, SeqNumber>();
  return (arrival, facts) => {
    const { segment } = arrival;
    const end = ends.get(`${facts.flow} ${otherSide(facts.from)}`);
    const own = `${facts.flow} ${facts.from}`;
    if (matcher.test(arrival, facts) && !ends.has(own)) ends.set(own, seqAdd(segment.seq, facts.len));
    return end !== undefined && hasFlags(segment, FLAG.ACK) && seqGeq(segment.ack, end);
  };
}
