import { conformance } from '../harness/index.js';
import { timeWaitScenarios } from './time-wait/index.js';

conformance('time-wait', timeWaitScenarios);
