/** Closing: who closes first, who second, both at once, and what gets lost on the way. */
import {
  activeFin,
  closeToldAsEnd,
  finTakesOneNumber,
  fourSegmentClose,
  halfCloseDelivers,
  hold,
  lastAckEnds,
  oneFinForEachSide,
  passesThrough,
  type Scenario,
  simultaneousClose,
  threeSegmentClose,
} from '../../harness/index.js';
import { closeLosses } from './losses.js';
import { closesAtOnce, closesHalf, closesInFour, closesInThree } from './plays.js';

const ACTIVE_STATES = passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
const PASSIVE_STATES = passesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);

export const closeScenarios: readonly Scenario[] = [
  {
    id: 'close/four-way',
    title: 'ensures that a close of two programs that close one after the other takes four segments',
    play: closesInFour,
    checks: [
      fourSegmentClose(),
      finTakesOneNumber(),
      oneFinForEachSide(),
      closeToldAsEnd('server'),
      closeToldAsEnd('client'),
      lastAckEnds(),
      ACTIVE_STATES,
      PASSIVE_STATES,
    ],
  },
  {
    id: 'close/three-segments',
    title: 'ensures that a FIN may be joined with the ACK of the other: three segments',
    play: closesInThree,
    checks: [threeSegmentClose(), finTakesOneNumber(), PASSIVE_STATES],
  },
  {
    id: 'close/half-close',
    title: 'ensures that after the first FIN the other direction carries data until its own FIN',
    play: closesHalf,
    checks: [
      halfCloseDelivers(),
      closeToldAsEnd('server'),
      closeToldAsEnd('client'),
      ACTIVE_STATES,
      PASSIVE_STATES,
    ],
  },
  {
    id: 'close/at-once',
    title: 'ensures that both sides may close at once: both pass CLOSING and stay in TIME-WAIT',
    faults: [hold(activeFin(), { id: 'fins' })],
    play: closesAtOnce,
    checks: [
      simultaneousClose(),
      passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']),
      passesThrough('server', ['ESTABLISHED', 'FIN-WAIT-1', 'CLOSING', 'TIME-WAIT']),
      finTakesOneNumber(),
    ],
  },
  ...closeLosses,
];
