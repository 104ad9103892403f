/** Openings that nobody answers. */
import { drop, firstTimeout, handshakeAck, passesThrough, syn } from '../../harness/index.js';
import { givenUp, type LongScenario } from './given-up.js';
import { MINUTE_MS, opensInVain, opensUnnoticed } from './plays.js';

export const opening: readonly LongScenario[] = [
  {
    id: 'long/syn-given-up',
    title: 'ensures that a SYN that nobody answers is repeated for three minutes, and its program then told',
    longestTimer: { name: 'R2 of a SYN', ms: 127_000 },
    faults: [drop(syn().from('client'))],
    play: opensInVain,
    checks: [
      ...givenUp('client.syn'),
      firstTimeout('client.syn'),
      passesThrough('client', ['SYN-SENT', 'CLOSED']),
    ],
  },
  {
    id: 'long/syn-ack-given-up',
    title: 'ensures that a SYN,ACK that nobody acknowledges is repeated later and later, and then forgotten',
    longestTimer: { name: 'R2 of a SYN,ACK', ms: 63_000 },
    limitMs: 10 * MINUTE_MS,
    faults: [drop(handshakeAck().from('client'))],
    play: opensUnnoticed,
    checks: [
      ...givenUp('server.syn-ack'),
      firstTimeout('server.syn-ack'),
      passesThrough('client', ['SYN-SENT', 'ESTABLISHED']),
    ],
  },
];
