import { conformance } from '../harness/index.js';
import { dataScenarios } from './data/index.js';
import { knownDeviations } from './known-deviations.js';

conformance('data', dataScenarios, { known: knownDeviations });
