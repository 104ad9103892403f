import { conformance } from '../harness/index.js';
import { knownDeviations } from './known-deviations.js';
import { resetScenarios } from './reset/index.js';

conformance('reset', resetScenarios, { known: knownDeviations });
