import { conformance } from '../harness/index.js';
import { closeScenarios } from './close/index.js';

conformance('close', closeScenarios);
