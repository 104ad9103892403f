/** Applies a plan of faults to the segments of one wire, and keeps the receipts. */
import type { Effect, FaultMark, Receipt } from './effect.js';
import type { Fault } from './fault.js';
import type { Arrival, FlowFacts } from './flow.js';
import { otherSide } from './flow.js';
import type { MatcherOptions } from './matcher.js';

/** What becomes of a segment. */
export interface Ruling {
  /** In the order in which the wire is to carry them out. */
  readonly effects: readonly Effect[];
  readonly marks: readonly FaultMark[];
}

const NO_MARKS: readonly FaultMark[] = [];

export class FaultEngine {
  constructor(_faults: readonly Fault[] = [], _options: MatcherOptions = {}) {}

  /** Adds faults behind those already in the plan. Throws when an id is taken. */
  add(..._faults: readonly Fault[]): void {}

  /** Takes faults out by id; their receipts stay. What they hold is released. */
  remove(..._ids: readonly string[]): Effect[] {
    return [];
  }

  /** Lets go what a fault holds, in order; it holds nothing more. */
  release(_id: string): Effect[] {
    return [];
  }

  arrive(arrival: Arrival, facts: FlowFacts): Ruling {
    const { id, packet } = arrival;
    return {
      effects: [{ kind: 'deliver', arrival: id, to: otherSide(facts.from), packet, delayNs: 0 }],
      marks: NO_MARKS,
    };
  }

  receipts(): Receipt[] {
    return [];
  }
}
