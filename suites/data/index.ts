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

/** A busy machine's wire may be later than the few milliseconds after which a tail loss probe (RFC 8985) repeats data. */
const UNPROBED = { 'ipv4.tcp_early_retrans': 0 };
const SETTINGS = { client: UNPROBED, server: UNPROBED };

export const dataScenarios: readonly Scenario[] = [
  {
    id: 'data/exchange',
    title: 'ensures that data flows both ways, each octet with a number of its own',
    settings: SETTINGS,
    play: exchanges,
    checks: [dataNumbered(), lastDataPushed(), bareAckTakesNoNumber()],
  },
  {
    id: 'data/urgent',
    title: 'ensures that urgent data is marked on the wire and told to the program that receives it',
    settings: SETTINGS,
    play: urges,
    checks: [urgentPointed(), urgentTold(), urgentMarkTold()],
  },
];
