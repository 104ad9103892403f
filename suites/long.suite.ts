import { conformance } from '../harness/index.js';
import { knownDeviations } from './known-deviations.js';
import { longScenarios } from './long/index.js';

conformance('long', longScenarios, { known: knownDeviations });
