/**
 * What takes minutes to days, in full: every scenario leaves the kernels' settings as they are. Only labs whose clock is
 * virtual play them.
 */
import type { Scenario } from '../../harness/index.js';
import { closing } from './closing.js';
import { idling } from './idling.js';
import { opening } from './opening.js';
import { sending } from './sending.js';

export const longScenarios: readonly Scenario[] = [...opening, ...sending, ...closing, ...idling].map(
  (scenario) => ({ ...scenario, tags: ['long'], clock: 'virtual' }),
);
