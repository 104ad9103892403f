/** Loss of each segment of a close in which the client closes first. */
import {
  activeFin,
  activeFinAck,
  backsOff,
  type Check,
  finalAck,
  firstTimeout,
  givesUp,
  isRepeated,
  lastAckEnds,
  type MatchBuilder,
  passesThrough,
  passiveFin,
  repeatedFinAcknowledged,
  type Scenario,
  type Stage,
  staysInLastAck,
} from '../../harness/index.js';
import { type HowOften, losing, lostName, lostText } from '../losses.js';
import { readsTheEnd } from '../roads.js';
import { closesInFour, conversed, firstHalfClosed } from './plays.js';

/**
 * An orphaned FIN is given up after so many repeats instead of eight: after some 3 s where the time-out is 0.2 s, and after 15 s where it
 * is the second that RFC 6298 recommends.
 */
const ORPHAN_RETRIES = 3;
const GIVEN_UP_WITHIN_MS = 30_000;
const QUICK = { 'ipv4.tcp_orphan_retries': ORPHAN_RETRIES };
const SETTINGS = { client: QUICK, server: QUICK };

/** The client's program closes and is gone; nobody acknowledges its FIN. */
async function clientGivesUp(stage: Stage): Promise<void> {
  const { client } = await conversed(stage);
  await client.close();
  await stage.reaches('client', 'CLOSED', { withinMs: GIVEN_UP_WITHIN_MS });
}

/** The server's program closes second and is gone; nobody acknowledges its FIN. */
async function serverGivesUp(stage: Stage): Promise<void> {
  const { server } = await firstHalfClosed(stage);
  await server.close();
  await stage.reaches('server', 'CLOSED', { withinMs: GIVEN_UP_WITHIN_MS });
}

/** As before, but the client's program reads the end first: its stack is in TIME-WAIT meanwhile. */
async function serverGivesUpOnTimeWait(stage: Stage): Promise<void> {
  const { client, server } = await firstHalfClosed(stage);
  await server.close();
  await readsTheEnd(client);
  await client.close();
  await stage.reaches('server', 'CLOSED', { withinMs: GIVEN_UP_WITHIN_MS });
}

interface Loss {
  readonly segment: string;
  readonly what: string;
  readonly match: MatchBuilder;
  /** The FIN that is repeated because of the loss. */
  readonly fin: 'client.fin' | 'server.fin';
  readonly repaired: readonly Check[];
  readonly forGood: { readonly play: Scenario['play']; readonly checks: readonly Check[] };
}

const ACTIVE_CLOSE = passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
const PASSIVE_CLOSE = passesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);

const LOSSES: readonly Loss[] = [
  {
    segment: 'first-fin',
    what: 'the FIN of the side that closes first',
    match: activeFin().from('client'),
    fin: 'client.fin',
    repaired: [ACTIVE_CLOSE, PASSIVE_CLOSE],
    forGood: {
      play: clientGivesUp,
      checks: [passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'CLOSED'])],
    },
  },
  {
    segment: 'ack-of-first-fin',
    what: 'the ACK of the first FIN',
    match: activeFinAck().from('server'),
    fin: 'client.fin',
    repaired: [repeatedFinAcknowledged('active-fin-ack'), ACTIVE_CLOSE, PASSIVE_CLOSE],
    forGood: {
      play: clientGivesUp,
      checks: [
        repeatedFinAcknowledged('active-fin-ack'),
        passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'CLOSED']),
        passesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT']),
      ],
    },
  },
  {
    segment: 'second-fin',
    what: 'the FIN of the side that closes second',
    match: passiveFin().from('server'),
    fin: 'server.fin',
    repaired: [ACTIVE_CLOSE, PASSIVE_CLOSE],
    forGood: { play: serverGivesUp, checks: [staysInLastAck(), PASSIVE_CLOSE] },
  },
  {
    segment: 'final-ack',
    what: 'the final ACK',
    match: finalAck().from('client'),
    fin: 'server.fin',
    repaired: [
      repeatedFinAcknowledged('final-ack'),
      staysInLastAck(),
      lastAckEnds(),
      ACTIVE_CLOSE,
      PASSIVE_CLOSE,
    ],
    forGood: {
      play: serverGivesUpOnTimeWait,
      checks: [repeatedFinAcknowledged('final-ack'), staysInLastAck(), ACTIVE_CLOSE, PASSIVE_CLOSE],
    },
  },
];

const OUTCOME: Readonly<Record<HowOften, string>> = {
  once: 'it is repaired and both ends close in order',
  twice: 'it is repaired and both ends close in order',
  every: 'the side that waits for it gives up in the end',
};

function scenario(loss: Loss, howOften: HowOften): Scenario {
  const isForGood = howOften === 'every';
  return {
    id: `close/${lostName(loss.segment, howOften)}`,
    title: `ensures that when ${loss.what} ${lostText[howOften]}, ${OUTCOME[howOften]}`,
    tags: ['loss'],
    settings: SETTINGS,
    ...(isForGood ? { limitMs: 2 * GIVEN_UP_WITHIN_MS } : {}),
    faults: losing(loss.match, howOften),
    play: isForGood ? loss.forGood.play : closesInFour,
    checks: isForGood
      ? [isRepeated(loss.fin), backsOff(loss.fin), givesUp(loss.fin), ...loss.forGood.checks]
      : [isRepeated(loss.fin), firstTimeout(loss.fin), ...loss.repaired],
  };
}

export const closeLosses: readonly Scenario[] = LOSSES.flatMap((loss) =>
  (['once', 'twice', 'every'] as const).map((howOften) => scenario(loss, howOften)),
);
