/** Timers of connections that nobody closes: keep-alive and the closed window. */
import {
  drop,
  keepAlive,
  keepAliveAnswered,
  keepAliveDefaultInterval,
  keepAliveGivesUp,
  keepAliveOffByDefault,
  keepAliveOnlyWhenIdle,
  keepAliveShape,
  type Scenario,
  staysOpenWhileProbed,
  unansweredProbeSurvived,
  zeroWindowProbed,
  zeroWindowProbesAnswered,
  zeroWindowProbesBackOff,
} from '../../harness/index.js';
import { DRAINED_WITHIN_MS, fillsTheWindow, idles, idlesUntilGivenUp, idlesWithKeepAlive } from './plays.js';

export const timerScenarios: readonly Scenario[] = [
  {
    id: 'timers/keep-alive',
    title:
      'ensures that an idle connection is probed once its program asked for it, and lives while the probes are answered',
    play: (stage) => idlesWithKeepAlive(stage, 3),
    checks: [keepAliveShape(), keepAliveOnlyWhenIdle(), keepAliveAnswered()],
  },
  {
    id: 'timers/keep-alive-lost-once',
    title: 'ensures that one keep-alive probe without an answer does not end a connection',
    faults: [drop(keepAlive().from('client').first())],
    play: (stage) => idlesWithKeepAlive(stage, 3),
    checks: [unansweredProbeSurvived(), keepAliveShape()],
  },
  {
    id: 'timers/keep-alive-lost-every',
    title:
      'ensures that a connection whose keep-alive probes are never answered ends and its program is told',
    faults: [drop(keepAlive().from('client'))],
    play: idlesUntilGivenUp,
    checks: [keepAliveGivesUp(), keepAliveShape()],
  },
  {
    id: 'timers/no-keep-alive',
    title: 'ensures that keep-alive is off unless a program asks for it',
    play: idles,
    checks: [keepAliveOffByDefault(), keepAliveDefaultInterval()],
  },
  {
    id: 'timers/zero-window',
    title: 'ensures that a closed window is probed at growing distances until it opens',
    limitMs: 2 * DRAINED_WITHIN_MS,
    play: fillsTheWindow,
    checks: [
      zeroWindowProbed(),
      zeroWindowProbesBackOff(),
      zeroWindowProbesAnswered(),
      staysOpenWhileProbed(),
    ],
  },
];
