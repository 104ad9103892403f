/** Loss of each segment of the opening. */
import {
  backsOff,
  type Check,
  firstTimeout,
  givesUp,
  handshakeAck,
  isRepeated,
  lostHandshakeAckRepaired,
  type MatchBuilder,
  passesThrough,
  type Scenario,
  syn,
  synAck,
} from '../../harness/index.js';
import { type HowOften, losing, lostName, lostText } from '../losses.js';
import { opens, opensInVain, opensSilently, opensUnnoticed } from './plays.js';

/** Few retries, each 1 s after the one before or doubling: givings-up take 3 to 7 s instead of minutes. */
const QUICK = { 'ipv4.tcp_syn_retries': 2, 'ipv4.tcp_synack_retries': 2 };
const SETTINGS = { client: QUICK, server: QUICK };

interface Loss {
  readonly segment: string;
  readonly what: string;
  readonly match: MatchBuilder;
  /** What is repeated because of the loss. */
  readonly repeated: 'client.syn' | 'server.syn-ack';
  readonly play: Scenario['play'];
  readonly repaired: readonly Check[];
  readonly forGood: {
    readonly outcome: string;
    readonly play: Scenario['play'];
    readonly checks: readonly Check[];
  };
}

const OPENED = [
  passesThrough('client', ['SYN-SENT', 'ESTABLISHED']),
  passesThrough('server', ['SYN-RECEIVED', 'ESTABLISHED']),
];

const LOSSES: readonly Loss[] = [
  {
    segment: 'syn',
    what: 'the SYN',
    match: syn().from('client'),
    repeated: 'client.syn',
    play: opens,
    repaired: [firstTimeout('client.syn'), ...OPENED],
    forGood: {
      outcome: 'the client gives up and its program is told',
      play: (stage) => opensInVain(stage, { listening: true }),
      checks: [
        givesUp('client.syn'),
        backsOff('client.syn'),
        passesThrough('client', ['SYN-SENT', 'CLOSED']),
      ],
    },
  },
  {
    segment: 'syn-ack',
    what: 'the SYN,ACK',
    match: synAck().from('server'),
    repeated: 'server.syn-ack',
    play: opens,
    repaired: OPENED,
    forGood: {
      outcome: 'the client gives up and its program is told',
      play: (stage) => opensInVain(stage, { listening: true }),
      checks: [givesUp('client.syn'), passesThrough('client', ['SYN-SENT', 'CLOSED'])],
    },
  },
  {
    segment: 'handshake-ack',
    what: 'the ACK of the SYN,ACK',
    match: handshakeAck().from('client'),
    repeated: 'server.syn-ack',
    play: opensSilently,
    repaired: [firstTimeout('server.syn-ack'), lostHandshakeAckRepaired(), ...OPENED],
    forGood: {
      outcome: 'the server gives up and returns to LISTEN',
      play: opensUnnoticed,
      checks: [
        givesUp('server.syn-ack'),
        backsOff('server.syn-ack'),
        passesThrough('client', ['SYN-SENT', 'ESTABLISHED']),
      ],
    },
  },
];

function scenario(loss: Loss, howOften: HowOften): Scenario {
  const isForGood = howOften === 'every';
  return {
    id: `handshake/${lostName(loss.segment, howOften)}`,
    title: `ensures that when ${loss.what} ${lostText[howOften]}, ${isForGood ? loss.forGood.outcome : 'the opening succeeds all the same'}`,
    tags: ['loss'],
    settings: SETTINGS,
    faults: losing(loss.match, howOften),
    play: isForGood ? loss.forGood.play : loss.play,
    checks: isForGood
      ? [isRepeated(loss.repeated), ...loss.forGood.checks]
      : [isRepeated(loss.repeated), ...loss.repaired],
  };
}

export const handshakeLosses: readonly Scenario[] = LOSSES.flatMap((loss) =>
  (['once', 'twice', 'every'] as const).map((howOften) => scenario(loss, howOften)),
);
