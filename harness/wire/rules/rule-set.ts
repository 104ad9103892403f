/** A plan as rules of one dialect: what applies them, what takes them away, and what they count. */
import type { Fault } from '../../fault/index.js';
import type { Command } from './command.js';
import type { RulePlace } from './place.js';
import type { Refusal } from './refusal.js';

export const DIALECTS = ['iptables', 'nft', 'tc'] as const;
export type Dialect = (typeof DIALECTS)[number];

export interface RuleSet {
  readonly dialect: Dialect;
  readonly place: RulePlace;
  /** In the names and comments of all rules. */
  readonly tag: string;
  /** In the order of the plan. */
  readonly faults: readonly Fault[];
  readonly apply: readonly Command[];
  /** Nothing but what `apply` made: by chain, table, or handle. */
  readonly remove: readonly Command[];
  /** Print the counters. */
  readonly count: readonly Command[];
  /** What to know before: where the rules are not quite the plan. */
  readonly notes: readonly string[];
}

export type Compiled =
  | { readonly kind: 'rules'; readonly rules: RuleSet }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] };

/** How often the fault of this number in the plan matched, and acted. */
export interface Counts {
  readonly matched: number;
  readonly acted: number;
}
