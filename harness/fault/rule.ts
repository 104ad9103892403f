/** A fault at work: its matchers, what it holds, and its receipt. */
import type { Effect, Receipt } from './effect.js';
import type { Fault } from './fault.js';
import { faultLine } from './fault-line.js';
import type { Arrival, FlowFacts } from './flow.js';
import { Matcher, type MatcherOptions } from './matcher.js';

/** A segment kept back, as the deliveries that it comes back as. */
interface Held {
  readonly facts: FlowFacts;
  readonly effects: readonly Effect[];
  /** How many others must still go by (`reorder`); a hold waits for something else. */
  missing: number;
}

export class Rule {
  readonly #matcher: Matcher;
  /** The match that ends a hold, or that a replay copies. */
  readonly #second: Matcher | undefined;
  readonly #arrivals: number[] = [];
  readonly #text: string;
  #matched = 0;
  #held: Held[] = [];
  #isOver = false;
  /** What a replay sends again: the latest match before this arrival, and that of this arrival included. */
  #source: Arrival | undefined;
  #latest: Arrival | undefined;

  constructor(
    readonly fault: Fault,
    options: MatcherOptions,
  ) {
    const { action, match } = fault;
    this.#matcher = new Matcher(match, options);
    const second = action.kind === 'hold' ? action.until : action.kind === 'replay' ? action.of : undefined;
    this.#second = second === undefined ? undefined : new Matcher(second, options);
    this.#text = faultLine(fault);
  }

  get id(): string {
    return this.fault.id;
  }

  /** The earlier segment that a replay sends again. */
  get source(): Arrival | undefined {
    return this.#source;
  }

  /** Feeds an arrival to the fault's matchers: whether the fault is to act on it, and whether it ends a hold. */
  meet(arrival: Arrival, facts: FlowFacts): { readonly acts: boolean; readonly ends: boolean } {
    const { action, times } = this.fault;
    this.#source = this.#latest;
    const isSecond = this.#second?.test(arrival, facts) ?? false;
    if (isSecond) this.#latest = arrival;
    const ends = isSecond && action.kind === 'hold' && !this.#isOver;
    if (ends) this.#isOver = true;
    const matches = this.#matcher.test(arrival, facts);
    if (matches) this.#matched += 1;
    const isSpent = this.#isOver || (times !== undefined && this.#arrivals.length >= times);
    return { acts: matches && !isSpent, ends };
  }

  acted(arrival: Arrival): void {
    this.#arrivals.push(arrival.id);
  }

  /** Keeps deliveries back, for a hold (`others` is without end) or until so many others have gone by. */
  keep(effects: readonly Effect[], facts: FlowFacts, others = Number.POSITIVE_INFINITY): void {
    this.#held.push({ effects, facts, missing: others });
  }

  /** A segment goes by: what has been kept back long enough behind it. */
  passed({ from, flow }: FlowFacts): readonly Effect[] {
    if (this.#held.length === 0) return [];
    for (const held of this.#held) {
      if (held.facts.from === from && held.facts.flow === flow) held.missing -= 1;
    }
    const due = this.#held.filter(({ missing }) => missing <= 0);
    if (due.length > 0) this.#held = this.#held.filter(({ missing }) => missing > 0);
    return due.flatMap(({ effects }) => effects);
  }

  /** Everything kept back, in order; from now on nothing more is. */
  letGo(): Effect[] {
    const { kind } = this.fault.action;
    if (kind === 'hold' || kind === 'reorder') this.#isOver = true;
    return this.#held.splice(0).flatMap(({ effects }) => effects);
  }

  receipt(): Receipt {
    const arrivals = [...this.#arrivals];
    return { fault: this.id, text: this.#text, matched: this.#matched, acted: arrivals.length, arrivals };
  }
}
