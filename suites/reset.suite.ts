import { conformance } from '../harness/index.js';
import { resetScenarios } from './reset/index.js';

conformance('reset', resetScenarios);
