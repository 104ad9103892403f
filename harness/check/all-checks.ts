/** Every check there is, once with each kind of parameter: for the list that people read and the test that each can fail. */
import { abortSendsReset, closedPortRefuses, dataAfterCloseResets, unreadDataResets } from './abort.js';
import type { Check } from './check.js';
import { closeToldAsEnd, fourSegmentClose, halfCloseDelivers, threeSegmentClose } from './close.js';
import { dataNumbered, lastDataPushed } from './data.js';
import { finWait2Kept, finWait2TimesOut } from './fin-wait-2.js';
import { givesUp, keepsTrying } from './giving-up.js';
import {
  bareAckTakesNoNumber,
  finTakesOneNumber,
  handshakeAckAcknowledgesSynAck,
  synAckAcknowledgesSyn,
  synCarriesNoData,
  synTakesOneNumber,
} from './handshake.js';
import { dataBeforeHandshakeAck, dataOnThirdSegment, lostHandshakeAckRepaired } from './handshake-faults.js';
import {
  isnsUnpredictable,
  timestampsOnlyIfOffered,
  windowAndOptionsExchanged,
  windowScaleOnlyIfOffered,
} from './handshake-options.js';
import {
  keepAliveAnswered,
  keepAliveDefaultInterval,
  keepAliveOffByDefault,
  keepAliveOnlyWhenIdle,
  keepAliveShape,
} from './keep-alive.js';
import { keepAliveWaitsTwoHours } from './keep-alive-interval.js';
import { keepAliveGivesUp, unansweredProbeSurvived } from './keep-alive-loss.js';
import { controlBlockFreed, lastAckEnds, staysInLastAck } from './last-ack.js';
import { listenerIgnoresReset } from './listener.js';
import { monitors } from './monitors.js';
import { oldDuplicateSyn } from './old-duplicate-syn.js';
import { repeatedFinAcknowledged } from './repeated-fin.js';
import { inWindowResetProfile, refusalTold, resetEnds, resetTold } from './reset.js';
import { backsOff, firstTimeout, isRepeated } from './retransmission.js';
import { rtoBound, rtoDoubles } from './retransmission-timer.js';
import { simultaneousClose, simultaneousOpen } from './simultaneous.js';
import { passesThrough } from './states.js';
import { timeWaitLasts, timeWaitRestarts } from './time-wait.js';
import { urgentMarkTold, urgentPointed, urgentTold } from './urgent.js';
import { userTimeoutAdvertised, userTimeoutKept } from './user-timeout.js';
import {
  staysOpenWhileProbed,
  zeroWindowProbed,
  zeroWindowProbesAnswered,
  zeroWindowProbesBackOff,
} from './zero-window.js';

const repeatable = ['client.syn', 'server.syn-ack', 'active-fin', 'passive-fin', 'data'] as const;
const resettable = [
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;

export const allChecks: readonly Check[] = [
  synAckAcknowledgesSyn(),
  handshakeAckAcknowledgesSynAck(),
  synTakesOneNumber(),
  synCarriesNoData(),
  bareAckTakesNoNumber(),
  finTakesOneNumber(),
  windowAndOptionsExchanged(),
  windowScaleOnlyIfOffered(),
  timestampsOnlyIfOffered(),
  isnsUnpredictable(),
  dataOnThirdSegment(),
  lostHandshakeAckRepaired(),
  dataBeforeHandshakeAck(),
  oldDuplicateSyn(),
  simultaneousOpen(),
  simultaneousClose(),
  passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']),
  passesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']),
  fourSegmentClose(),
  threeSegmentClose(),
  halfCloseDelivers(),
  closeToldAsEnd('server'),
  repeatedFinAcknowledged('active-fin-ack'),
  repeatedFinAcknowledged('final-ack'),
  timeWaitLasts(),
  timeWaitRestarts(),
  staysInLastAck(),
  lastAckEnds(),
  controlBlockFreed(),
  finWait2Kept(),
  finWait2TimesOut(),
  ...repeatable.flatMap((name) => [
    isRepeated(name),
    backsOff(name),
    firstTimeout(name),
    givesUp(name),
    keepsTrying(name),
    rtoDoubles(name),
  ]),
  rtoBound('data'),
  closedPortRefuses(),
  refusalTold(),
  resetTold('server'),
  listenerIgnoresReset(),
  abortSendsReset('client'),
  unreadDataResets('server'),
  dataAfterCloseResets('client'),
  inWindowResetProfile('server'),
  ...resettable.map((state) => resetEnds('server', state)),
  dataNumbered(),
  lastDataPushed(),
  urgentPointed(),
  urgentTold(),
  urgentMarkTold(),
  keepAliveOffByDefault(),
  keepAliveDefaultInterval(),
  keepAliveShape(),
  keepAliveOnlyWhenIdle(),
  keepAliveAnswered(),
  unansweredProbeSurvived(),
  keepAliveGivesUp(),
  keepAliveWaitsTwoHours(),
  userTimeoutKept(),
  userTimeoutAdvertised(),
  rtoDoubles('client.window-probe'),
  zeroWindowProbed(),
  zeroWindowProbesBackOff(),
  zeroWindowProbesAnswered(),
  staysOpenWhileProbed(),
  ...monitors,
];
