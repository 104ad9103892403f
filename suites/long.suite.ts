import { conformance } from '../harness/index.js';
import { longScenarios } from './long/index.js';

conformance('long', longScenarios);
