import { conformance } from '../harness/index.js';
import { knownDeviations } from './known-deviations.js';
import { timeWaitScenarios } from './time-wait/index.js';

conformance('time-wait', timeWaitScenarios, { known: knownDeviations });
