/** Why actions have no rule, in any dialect. */
import type { Action, ActionKind } from '../../fault/index.js';

const WIRE = 'goes by the wire (netns lab, NFQUEUE)';

/** The reasons that hold everywhere. */
export const NO_RULE: Readonly<Partial<Record<ActionKind, string>>> = {
  hold: `no rule keeps a segment until something else happens: it ${WIRE}`,
  reorder: `no rule keeps a segment until others have gone by: it ${WIRE}`,
  inject: `no rule sends a segment that nobody sent: it ${WIRE}`,
  replay: `no rule remembers a segment to send it again: it ${WIRE}`,
  truncate: `no rule makes a segment shorter: it ${WIRE}`,
  'corrupt-checksum': `whether a receiver looks at the checksum depends on its offloads, and no rule can be sure: it ${WIRE}`,
};

export const actionName = ({ kind }: Action): string =>
  kind === 'corrupt-checksum' ? 'corrupt checksum' : kind;
