/** What the scenarios of this suite share: how giving up is judged, and after how long Linux does. */
import {
  backsOff,
  type Check,
  givesUp,
  isRepeated,
  keepsTrying,
  rtoDoubles,
  type Scenario,
  type SegmentName,
} from '../../harness/index.js';

/** Its length must be told: it is the reason why a lab in real time does not play it. */
export type LongScenario = Omit<Scenario, 'tags' | 'clock'> & Required<Pick<Scenario, 'longestTimer'>>;

/** Linux: fifteen retries from a time-out of 0.2 s to one of 120 s (tcp_retries2). */
export const R2 = { name: 'R2', ms: 924_600 };
/** Eight retries where the program is gone (tcp_orphan_retries of 0). */
export const R2_OF_ORPHAN = { name: 'R2 of a connection without a program', ms: 102_200 };

/** What is repeated, how long, and how it ends. */
export const givenUp = (name: SegmentName): readonly Check[] => [
  isRepeated(name),
  backsOff(name),
  rtoDoubles(name),
  givesUp(name),
  keepsTrying(name),
];
