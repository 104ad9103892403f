/** Opening: the numbers and options of the handshake, both at once, an old duplicate, a refusal, and losses. */
import {
  bareAckTakesNoNumber,
  closedPortRefuses,
  data,
  dataBeforeHandshakeAck,
  dataOnThirdSegment,
  drop,
  handshakeAck,
  handshakeAckAcknowledgesSynAck,
  hold,
  isnsUnpredictable,
  lostHandshakeAckRepaired,
  oldDuplicateSyn,
  passesThrough,
  refusalTold,
  type Scenario,
  simultaneousOpen,
  syn,
  synAckAcknowledgesSyn,
  synCarriesNoData,
  synTakesOneNumber,
  timestampsOnlyIfOffered,
  windowAndOptionsExchanged,
  windowScaleOnlyIfOffered,
} from '../../harness/index.js';
import { handshakeLosses } from './losses.js';
import {
  meetsOldSyn,
  opens,
  opensAndSpeaks,
  opensAtOnce,
  opensFive,
  opensInVain,
  speaksOnThirdSegment,
} from './plays.js';

const OPENED = [
  passesThrough('client', ['SYN-SENT', 'ESTABLISHED']),
  passesThrough('server', ['SYN-RECEIVED', 'ESTABLISHED']),
];

export const handshakeScenarios: readonly Scenario[] = [
  {
    id: 'handshake/numbers',
    title: 'ensures that the three segments of a handshake carry the right numbers and options',
    play: opens,
    checks: [
      synAckAcknowledgesSyn(),
      handshakeAckAcknowledgesSynAck(),
      synTakesOneNumber(),
      bareAckTakesNoNumber(),
      synCarriesNoData(),
      windowAndOptionsExchanged(),
      windowScaleOnlyIfOffered(),
      timestampsOnlyIfOffered(),
      ...OPENED,
    ],
  },
  {
    id: 'handshake/isn',
    title: 'ensures that initial sequence numbers of both sides cannot be told from those before',
    play: opensFive,
    checks: [isnsUnpredictable()],
  },
  {
    id: 'handshake/data-on-third-segment',
    title: 'ensures that the third segment of a handshake may carry data',
    play: speaksOnThirdSegment,
    checks: [dataOnThirdSegment(), handshakeAckAcknowledgesSynAck(), ...OPENED],
  },
  {
    id: 'handshake/at-once',
    title: 'ensures that two ends that open to each other at once get one connection',
    faults: [hold(syn(), { id: 'syns' })],
    play: opensAtOnce,
    checks: [
      simultaneousOpen(),
      passesThrough('client', ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']),
      passesThrough('server', ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']),
    ],
  },
  {
    id: 'handshake/data-before-late-ack',
    title:
      'ensures that data establish a connection whose handshake ACK is late, and that the late ACK is harmless',
    faults: [hold(handshakeAck().from('client').copy(1), { until: data().from('client') })],
    play: opensAndSpeaks,
    checks: [dataBeforeHandshakeAck(), ...OPENED],
  },
  {
    id: 'handshake/data-after-lost-ack',
    title: 'ensures that data establish a connection whose handshake ACK was lost',
    faults: [drop(handshakeAck().from('client').copy(1))],
    play: opensAndSpeaks,
    checks: [lostHandshakeAckRepaired(), ...OPENED],
  },
  {
    id: 'handshake/old-duplicate-syn',
    title: 'ensures that an old duplicate SYN opens no connection',
    play: meetsOldSyn,
    checks: [oldDuplicateSyn()],
  },
  {
    id: 'handshake/refused',
    title: 'ensures that a SYN to a closed port is refused by a RST and the program told',
    play: (stage) => opensInVain(stage, { listening: false }),
    checks: [closedPortRefuses(), refusalTold(), passesThrough('client', ['SYN-SENT', 'CLOSED'])],
  },
  ...handshakeLosses,
];
