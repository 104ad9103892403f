/** Data: both ways with the right numbers, and urgent data. */
import {
  bareAckTakesNoNumber,
  dataNumbered,
  lastDataPushed,
  type Scenario,
  urgentMarkTold,
  urgentPointed,
  urgentTold,
} from '../../harness/index.js';
import { exchanges, urges } from './plays.js';

export const dataScenarios: readonly Scenario[] = [
  {
    id: 'data/exchange',
    title: 'ensures that data flows both ways, each octet with a number of its own',
    play: exchanges,
    checks: [dataNumbered(), lastDataPushed(), bareAckTakesNoNumber()],
  },
  {
    id: 'data/urgent',
    title: 'ensures that urgent data is marked on the wire and told to the program that receives it',
    play: urges,
    checks: [urgentPointed(), urgentTold(), urgentMarkTold()],
  },
];
