/** Data that nobody acknowledges, or that nobody has room for. */
import {
  data,
  drop,
  givesUp,
  isRepeated,
  keepsTrying,
  passesThrough,
  rtoBound,
  rtoDoubles,
  staysOpenWhileProbed,
  userTimeoutAdvertised,
  userTimeoutKept,
  windowProbe,
  zeroWindowProbed,
  zeroWindowProbesAnswered,
  zeroWindowProbesBackOff,
} from '../../harness/index.js';
import { givenUp, type LongScenario, R2 } from './given-up.js';
import { HOUR_MS, MINUTE_MS, neverReads, reads, speaksInVain } from './plays.js';

const USER_TIMEOUT_MS = 2 * MINUTE_MS;

export const sending: readonly LongScenario[] = [
  {
    id: 'long/data-given-up',
    title:
      'ensures that data that nobody acknowledges is repeated for 100 s at least, and its program then told',
    longestTimer: R2,
    faults: [drop(data().from('client'))],
    play: speaksInVain,
    checks: [
      ...givenUp('client.data'),
      rtoBound('client.data'),
      passesThrough('client', ['ESTABLISHED', 'CLOSED']),
    ],
  },
  {
    id: 'long/user-timeout-of-data',
    title: 'ensures that data waits for its acknowledgement no longer than the program allows',
    longestTimer: { name: 'user timeout', ms: USER_TIMEOUT_MS },
    faults: [drop(data().from('client'))],
    play: (stage) => speaksInVain(stage, { TCP_USER_TIMEOUT: USER_TIMEOUT_MS }),
    checks: [userTimeoutKept(), userTimeoutAdvertised(), isRepeated('client.data'), givesUp('client.data')],
  },
  {
    id: 'long/zero-window',
    title: 'ensures that a connection whose window is shut for an hour stays open, and its window is probed',
    longestTimer: { name: 'a window that is shut', ms: HOUR_MS },
    play: (stage) => reads(stage, { afterMs: HOUR_MS }),
    checks: [
      zeroWindowProbed(),
      zeroWindowProbesBackOff(),
      rtoDoubles('client.window-probe'),
      zeroWindowProbesAnswered(),
      staysOpenWhileProbed(),
    ],
  },
  {
    id: 'long/zero-window-given-up',
    title: 'ensures that a sender whose probes of a shut window are never answered gives up in the end',
    longestTimer: R2,
    faults: [drop(windowProbe().from('client'))],
    play: neverReads,
    checks: [
      zeroWindowProbesBackOff(),
      rtoDoubles('client.window-probe'),
      givesUp('client.window-probe'),
      keepsTrying('client.window-probe'),
    ],
  },
  {
    id: 'long/user-timeout-of-zero-window',
    title: 'ensures that data waits for a window no longer than the program allows',
    longestTimer: { name: 'user timeout', ms: USER_TIMEOUT_MS },
    play: (stage) => neverReads(stage, { TCP_USER_TIMEOUT: USER_TIMEOUT_MS }),
    checks: [userTimeoutKept(), zeroWindowProbesBackOff()],
  },
];
