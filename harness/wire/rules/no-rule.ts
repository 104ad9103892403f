/** Why actions have no rule, in any dialect. */
import type { Action, ActionKind } from '../../fault/index.js';
import { BY_THE_WIRE } from './refusal.js';

/** The reasons that hold everywhere. */
export const NO_RULE: Readonly<Partial<Record<ActionKind, string>>> = {
  hold: `no rule keeps a segment until something else happens: ${BY_THE_WIRE}`,
  reorder: `no rule keeps a segment until others have gone by: ${BY_THE_WIRE}`,
  inject: `no rule sends a segment that nobody sent: ${BY_THE_WIRE}`,
  replay: `no rule remembers a segment to send it again: ${BY_THE_WIRE}`,
  truncate: `no rule makes a segment shorter: ${BY_THE_WIRE}`,
  'corrupt-checksum': `whether a receiver looks at the checksum depends on its offloads, and no rule can be sure: ${BY_THE_WIRE}`,
};

export const actionName = ({ kind }: Action): string =>
  kind === 'corrupt-checksum' ? 'corrupt checksum' : kind;
