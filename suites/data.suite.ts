import { conformance } from '../harness/index.js';
import { dataScenarios } from './data/index.js';

conformance('data', dataScenarios);
