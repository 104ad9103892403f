/** Every check there is, once with each kind of parameter: for the list that people read and the test that each can fail. */
import type { Check } from './check.js';
import {
  closeToldAsEnd,
  fourSegmentClose,
  halfCloseDelivers,
  repeatedFinAcknowledged,
  threeSegmentClose,
} from './close.js';
import {
  bareAckTakesNoNumber,
  finTakesOneNumber,
  handshakeAckAcknowledgesSynAck,
  synAckAcknowledgesSyn,
  synCarriesNoData,
  synTakesOneNumber,
} from './handshake.js';
import {
  dataBeforeHandshakeAck,
  dataOnThirdSegment,
  lostHandshakeAckRepaired,
  oldDuplicateSyn,
} from './handshake-faults.js';
import {
  isnsUnpredictable,
  timestampsOnlyIfOffered,
  windowAndOptionsExchanged,
  windowScaleOnlyIfOffered,
} from './handshake-options.js';
import {
  keepAliveAnswered,
  keepAliveDefaultInterval,
  keepAliveGivesUp,
  keepAliveOffByDefault,
  keepAliveOnlyWhenIdle,
  keepAliveShape,
  unansweredProbeSurvived,
} from './keep-alive.js';
import { monitors } from './monitors.js';
import {
  abortSendsReset,
  closedPortRefuses,
  dataAfterCloseResets,
  inWindowResetProfile,
  refusalTold,
  resetEnds,
  resetTold,
  unreadDataResets,
} from './reset.js';
import { backsOff, firstTimeout, givesUp, isRepeated } from './retransmission.js';
import { simultaneousClose, simultaneousOpen } from './simultaneous.js';
import { passesThrough } from './states.js';
import {
  controlBlockFreed,
  lastAckEnds,
  staysInLastAck,
  timeWaitLasts,
  timeWaitRestarts,
} from './time-wait.js';
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
  ...repeatable.flatMap((name) => [isRepeated(name), backsOff(name), firstTimeout(name), givesUp(name)]),
  closedPortRefuses(),
  refusalTold(),
  resetTold('server'),
  abortSendsReset('client'),
  unreadDataResets('server'),
  dataAfterCloseResets('client'),
  inWindowResetProfile('server'),
  ...resettable.map((state) => resetEnds('server', state)),
  keepAliveOffByDefault(),
  keepAliveDefaultInterval(),
  keepAliveShape(),
  keepAliveOnlyWhenIdle(),
  keepAliveAnswered(),
  unansweredProbeSurvived(),
  keepAliveGivesUp(),
  zeroWindowProbed(),
  zeroWindowProbesBackOff(),
  zeroWindowProbesAnswered(),
  staysOpenWhileProbed(),
  ...monitors,
];
