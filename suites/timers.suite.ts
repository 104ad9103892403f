import { conformance } from '../harness/index.js';
import { timerScenarios } from './timers/index.js';

conformance('timers', timerScenarios);
