/** Decides whether a segment is the one that a match describes. */
import type { Nanos } from '../clock/index.js';
import type { Arrival, FlowFacts } from './flow.js';
import type { Match } from './match.js';

export interface MatcherOptions {
  /** When the wire started, for `since` without event (default 0, the clock's epoch). */
  readonly startNs?: Nanos;
}

/** Stateful (ordinals, events): feed it every arrival of the wire, once each, in their order. */
export class Matcher {
  readonly match: Match;

  constructor(match: Match, _options: MatcherOptions = {}) {
    this.match = match;
  }

  test(_arrival: Arrival, _facts: FlowFacts): boolean {
    return false;
  }
}
