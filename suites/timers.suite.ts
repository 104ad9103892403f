import { conformance } from '../harness/index.js';
import { knownDeviations } from './known-deviations.js';
import { timerScenarios } from './timers/index.js';

conformance('timers', timerScenarios, { known: knownDeviations });
