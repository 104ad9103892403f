/** The client is connected before anybody has asked the server. */
import { drop, removeEvents, segmentsOf, syn } from '../../harness/index.js';
import { comesAfter, fact, goesThrough, told } from './checks.js';
import { AT_ONCE_MS, listens, settles } from './plays.js';
import type { TableScenario } from './row.js';

const ACCEPT = 'proxy.go, Proxy.server (Accept, then net.Dial)';

export const serverAwayScenarios: readonly TableScenario[] = [
  {
    id: 'toxiproxy/server-refuses',
    title: 'shows that a client is ESTABLISHED although the server refuses, and is told by a FIN',
    row: {
      what: 'no toxic, the server does not listen',
      clientLeg: 'a whole handshake, then FIN of the proxy',
      serverLeg: 'SYN, RST',
      programs: 'client: connect succeeds, then the end; never ECONNREFUSED',
    },
    async play(stage) {
      const client = await stage.client.connect(stage.proxyAddress);
      await listens(client);
      await settles(stage);
    },
    checks: [
      told('client', 'ok', ACCEPT, 'connect'),
      told('client', 'end', ACCEPT),
      goesThrough('client', ['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT'], ACCEPT),
      goesThrough('proxy-to-server', ['SYN-SENT', 'CLOSED'], ACCEPT),
      comesAfter({
        id: 'accepts-before-it-dials',
        sentence: 'The client’s handshake is done before the proxy sends its SYN to the server',
        source: ACCEPT,
        from: { leg: 'client', query: { role: 'handshake-ack' } },
        to: { leg: 'server', query: { role: 'syn' } },
        leastMs: 0,
        mostMs: AT_ONCE_MS,
      }),
    ],
  },
  {
    id: 'toxiproxy/server-silent',
    title:
      'shows that a proxy that waits for the server accepts, acknowledges, and dials nobody else meanwhile',
    row: {
      what: 'fault on the server’s leg: every SYN lost',
      clientLeg: 'ESTABLISHED, data acknowledged; a second client, too',
      serverLeg: 'the SYN of the first client, again and again; none for the second',
      programs: 'clients: connect and send succeed, then nothing',
    },
    faults: { server: [drop(syn().from('client'))] },
    async play(stage) {
      const first = await stage.client.connect(stage.proxyAddress);
      await first.send('ping');
      const second = await stage.client.connect(stage.proxyAddress);
      await second.send('ping');
      await listens(second, 1500);
    },
    checks: [
      told('client', 'ok', ACCEPT, 'connect'),
      told('client', 'nothing', ACCEPT),
      goesThrough('proxy-to-client', ['SYN-RECEIVED', 'ESTABLISHED'], ACCEPT),
      fact({
        id: 'dials-one-at-a-time',
        sentence:
          'While one dial waits, connections of other clients are accepted by the kernel and dialled by nobody',
        source: ACCEPT,
        look(legs) {
          const clients = segmentsOf(legs.client, { role: 'syn-ack', copy: 1 });
          const dialled = new Set(
            segmentsOf(legs.server, { role: 'syn' }).map(({ segment }) => segment.srcPort),
          );
          const holds = clients.length === 2 && dialled.size === 1;
          return { holds, finding: `${clients.length} clients, ${dialled.size} dialled`, events: clients };
        },
        mutate: (legs) => ({
          ...legs,
          client: removeEvents(legs.client, segmentsOf(legs.client, { role: 'syn-ack' }).slice(1)),
        }),
      }),
    ],
  },
];
