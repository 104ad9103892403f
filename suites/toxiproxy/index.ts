/** What Toxiproxy, and each of its toxics, does to the TCP of both ends. */
import { closingScenarios } from './closing-toxics.js';
import { dataScenarios } from './data-toxics.js';
import { lostSegmentScenarios } from './lost-segments.js';
import { passingScenarios } from './passing.js';
import type { TableScenario } from './row.js';
import { serverAwayScenarios } from './server-away.js';

export { checkTable, lookUpTable } from './row.js';

export const toxiproxyScenarios: readonly TableScenario[] = [
  ...passingScenarios,
  ...serverAwayScenarios,
  ...dataScenarios,
  ...closingScenarios,
  ...lostSegmentScenarios,
];
