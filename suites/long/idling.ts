/** Connections on which nothing is said for hours. */
import {
  dataNumbered,
  drop,
  keepAlive,
  keepAliveAnswered,
  keepAliveGivesUp,
  keepAliveShape,
  keepAliveWaitsTwoHours,
  passesThrough,
  unansweredProbeSurvived,
  userTimeoutKept,
} from '../../harness/index.js';
import type { LongScenario } from './given-up.js';
import { HOUR_MS, idlesForADay, idlesUntilGivenUp } from './plays.js';

export const idling: readonly LongScenario[] = [
  {
    id: 'long/keep-alive',
    title:
      'ensures that an idle connection is probed each two hours, and lives while the probes are answered',
    longestTimer: { name: 'twelve keep-alives', ms: 24 * HOUR_MS },
    play: idlesForADay,
    checks: [keepAliveWaitsTwoHours(), keepAliveShape(), keepAliveAnswered(), dataNumbered()],
  },
  {
    id: 'long/keep-alive-given-up',
    title: 'ensures that a connection on which nothing is heard is probed after two hours, and then given up',
    longestTimer: { name: 'keep-alive and its nine probes', ms: 7_875_000 },
    faults: [drop(keepAlive().from('client'))],
    play: (stage) => idlesUntilGivenUp(stage),
    checks: [
      keepAliveWaitsTwoHours(),
      keepAliveShape(),
      unansweredProbeSurvived(),
      keepAliveGivesUp(),
      passesThrough('client', ['ESTABLISHED', 'CLOSED']),
    ],
  },
  {
    id: 'long/user-timeout-of-keep-alive',
    title: 'ensures that a connection on which nothing is heard lives no longer than the program allows',
    longestTimer: { name: 'user timeout', ms: 7_700_000 },
    faults: [drop(keepAlive().from('client'))],
    play: (stage) => idlesUntilGivenUp(stage, { TCP_USER_TIMEOUT: 7_700_000 }),
    checks: [userTimeoutKept(), keepAliveGivesUp(), unansweredProbeSurvived()],
  },
];
