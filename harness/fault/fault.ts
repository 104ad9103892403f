/** A fault of the plan: what to pick and what to do with it. */
import type { Action } from './action.js';
import type { Match } from './match.js';

export interface Fault {
  /** Unique in its plan. Where none is given it is the fault's own one-line text. */
  readonly id: string;
  readonly match: Match;
  readonly action: Action;
  /** Acts on so many segments at most. */
  readonly times?: number;
}
