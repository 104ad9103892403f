/** TIME-WAIT: how long it lasts, and what starts it anew. */
import {
  controlBlockFreed,
  drop,
  finalAck,
  passesThrough,
  repeatedFinAcknowledged,
  type Scenario,
  type Stage,
  timeWaitLasts,
  timeWaitRestarts,
} from '../../harness/index.js';
import { closesInFour } from '../close/plays.js';

/** Linux: TCP_TIMEWAIT_LEN, include/net/tcp.h. */
const TIME_WAIT = { name: 'TIME-WAIT', ms: 60_000 };

async function staysToTheEnd(stage: Stage): Promise<void> {
  await closesInFour(stage);
  if (!stage.untilClosed) await stage.reaches('client', 'CLOSED', { withinMs: 2 * TIME_WAIT.ms });
}

export const timeWaitScenarios: readonly Scenario[] = [
  {
    id: 'time-wait/lasts',
    title: 'ensures that the side that closed first stays in TIME-WAIT for 2 MSL and is freed then',
    tags: ['long'],
    longestTimer: TIME_WAIT,
    play: staysToTheEnd,
    checks: [
      timeWaitLasts(),
      controlBlockFreed(),
      passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED']),
    ],
  },
  {
    id: 'time-wait/repeated-fin',
    title: 'ensures that a FIN that comes again in TIME-WAIT is acknowledged again and starts 2 MSL anew',
    tags: ['long', 'loss'],
    longestTimer: TIME_WAIT,
    faults: [drop(finalAck().from('client').copy({ from: 1, to: 2 }))],
    play: staysToTheEnd,
    checks: [repeatedFinAcknowledged('final-ack'), timeWaitRestarts(), controlBlockFreed()],
  },
];
