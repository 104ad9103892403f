import { conformance } from '../harness/index.js';
import { closeScenarios } from './close/index.js';
import { knownDeviations } from './known-deviations.js';

conformance('close', closeScenarios, { known: knownDeviations });
