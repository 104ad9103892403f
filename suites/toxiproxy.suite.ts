import { viaConformance } from '../harness/index.js';
import { toxiproxyScenarios } from './toxiproxy/index.js';

viaConformance('toxiproxy', toxiproxyScenarios);
