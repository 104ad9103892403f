/** All scenarios of this version. */
import type { Scenario } from '../harness/index.js';
import { closeScenarios } from './close/index.js';
import { dataScenarios } from './data/index.js';
import { handshakeScenarios } from './handshake/index.js';
import { longScenarios } from './long/index.js';
import { resetScenarios } from './reset/index.js';
import { timeWaitScenarios } from './time-wait/index.js';
import { timerScenarios } from './timers/index.js';

export const allScenarios: readonly Scenario[] = [
  ...handshakeScenarios,
  ...dataScenarios,
  ...closeScenarios,
  ...timeWaitScenarios,
  ...resetScenarios,
  ...timerScenarios,
  ...longScenarios,
];
