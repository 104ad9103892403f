/** Toxics that work on data: when it comes, in what pieces, how much of it. */
import {
  changeSegments,
  type LegsCheck,
  neededSome,
  removeEvents,
  type Stream,
  segmentsOf,
} from '../../harness/index.js';
import { comesAfter, fact, goesThrough, proxyEndsWith, told } from './checks.js';
import { AT_ONCE_MS, listens, settles } from './plays.js';
import type { TableScenario } from './row.js';

const LATENCY = 'toxics/latency.go, LatencyToxic.Pipe';
const BANDWIDTH = 'toxics/bandwidth.go, BandwidthToxic.Pipe';
const SLICER = 'toxics/slicer.go, SlicerToxic.Pipe';
const LIMIT = 'toxics/limit_data.go, LimitDataToxic.Pipe';
const LATE_MS = 600;
const LIMIT_OCTETS = 100;

const acknowledgedAtOnce = (relAck: number, source: string): LegsCheck =>
  comesAfter({
    id: 'data-acknowledged-at-once',
    sentence: 'The sender’s data is acknowledged at once: its TCP measures the round trip to the proxy',
    source,
    from: { leg: 'server', query: { from: 'server', data: true } },
    to: { leg: 'server', query: { from: 'client', relAck } },
    leastMs: 0,
    mostMs: AT_ONCE_MS,
  });

const latency: TableScenario = {
  id: 'toxiproxy/latency',
  title: 'shows that latency delays data and neither the handshake nor ACKs nor a close',
  row: {
    what: `\`latency downstream ${LATE_MS}ms\``,
    clientLeg: 'handshake at once; data late, FIN right behind it',
    serverLeg: 'data and FIN acknowledged at once; the round trip of TCP is unchanged',
    programs: 'client: data late; nobody’s retransmission timer knows of it',
  },
  toxics: [`latency downstream ${LATE_MS}ms`],
  async play(stage) {
    const { client, server } = await stage.established();
    await server.send('pong');
    await client.receiveAll({ octets: 4 });
    await server.close();
    await listens(client);
  },
  checks: [
    acknowledgedAtOnce(5, LATENCY),
    comesAfter({
      id: 'data-late',
      sentence: `Data goes on ${LATE_MS} ms after it came`,
      source: LATENCY,
      from: { leg: 'server', query: { from: 'server', data: true } },
      to: { leg: 'client', query: { from: 'server', data: true } },
      leastMs: LATE_MS,
      mostMs: LATE_MS + AT_ONCE_MS,
    }),
    comesAfter({
      id: 'handshake-at-once',
      sentence: 'The handshake is not delayed',
      source: 'proxy.go, Proxy.server (the kernel accepts)',
      from: { leg: 'client', query: { role: 'syn' } },
      to: { leg: 'client', query: { role: 'syn-ack' } },
      leastMs: 0,
      mostMs: AT_ONCE_MS,
    }),
    comesAfter({
      id: 'close-at-once',
      sentence: 'A close with no data before it is not delayed',
      source: `${LATENCY} (closes at once when its input does)`,
      from: { leg: 'server', query: { from: 'server', has: 'FIN' } },
      to: { leg: 'client', query: { from: 'server', has: 'FIN' } },
      leastMs: 0,
      mostMs: AT_ONCE_MS,
    }),
  ],
};

const BANDWIDTH_OCTETS = 6000;

const bandwidth: TableScenario = {
  id: 'toxiproxy/bandwidth',
  title:
    'shows that bandwidth sends a piece each 100 ms; the sender’s TCP sees no limit until the buffers are full',
  row: {
    what: '`bandwidth downstream 10kBps`',
    clientLeg: 'a piece of rate × 100 ms each 100 ms',
    serverLeg: 'all of it at once, acknowledged; the proxy holds it',
    programs: 'client: data late; server: success at once, while the buffers have room',
  },
  toxics: ['bandwidth downstream 10kBps'],
  async play(stage) {
    const { client, server } = await stage.established();
    await server.send(new Uint8Array(BANDWIDTH_OCTETS));
    await client.receiveAll({ octets: BANDWIDTH_OCTETS });
  },
  checks: [
    acknowledgedAtOnce(BANDWIDTH_OCTETS + 1, BANDWIDTH),
    comesAfter({
      id: 'first-piece-late',
      sentence: 'The first piece comes 100 ms late',
      source: BANDWIDTH,
      from: { leg: 'server', query: { from: 'server', data: true } },
      to: { leg: 'client', query: { from: 'server', data: true } },
      leastMs: 100,
      mostMs: 100 + AT_ONCE_MS,
    }),
    comesAfter({
      id: 'last-piece-at-rate',
      sentence: `${BANDWIDTH_OCTETS} octets take as long as the rate says`,
      source: BANDWIDTH,
      from: { leg: 'server', query: { from: 'server', data: true } },
      to: { leg: 'client', query: { from: 'server', data: true }, isLast: true },
      leastMs: 500,
      mostMs: 600 + 2 * AT_ONCE_MS,
    }),
  ],
};

const slicedOn = (legs: Parameters<LegsCheck['judge']>[0]) => ({
  near: neededSome(segmentsOf(legs.client, { from: 'server', data: true }), 'no data came to the client'),
  far: neededSome(segmentsOf(legs.server, { from: 'server', data: true }), 'the server sent no data'),
});

const slicer: TableScenario = {
  id: 'toxiproxy/slicer',
  title: 'shows that slicer makes small segments: each slice is a write of its own',
  row: {
    what: '`slicer downstream size 100 delay 5ms`',
    clientLeg: 'many small segments, each with PSH',
    serverLeg: 'as the server sent it',
    programs: 'client: many short reads',
  },
  toxics: ['slicer downstream size 100 delay 5ms'],
  async play(stage) {
    const { client, server } = await stage.established();
    await server.send(new Uint8Array(1000));
    await client.receiveAll({ octets: 1000 });
  },
  checks: [
    fact({
      id: 'segments-sliced',
      sentence: 'One segment of the server becomes eight or more, and most are no longer than the slices',
      source: `${SLICER}; without a delay, link.go, ToxicLink.write joins slices again`,
      look(legs) {
        const { near, far } = slicedOn(legs);
        const short = near.filter(({ segment }) => segment.payload.length <= 100);
        const holds = far.length === 1 && near.length >= 8 && short.length > near.length / 2;
        return {
          holds,
          finding: `${near.length} segments, ${short.length} of 100 octets at most`,
          events: near,
        };
      },
      mutate: (legs) => ({ ...legs, client: removeEvents(legs.client, slicedOn(legs).near.slice(1)) }),
    }),
  ],
};

const limitData = (stream: Stream): TableScenario => {
  const sender = stream === 'upstream' ? 'client' : 'server';
  const receiver = stream === 'upstream' ? 'server' : 'client';
  const delivered = (legs: Parameters<LegsCheck['judge']>[0]) =>
    neededSome(segmentsOf(legs[receiver], { from: sender, data: true }), `no data came to the ${receiver}`);
  return {
    id: `toxiproxy/limit-data-${stream}`,
    title: `shows that limit_data ${stream} passes so many octets on, and then closes both connections with a FIN`,
    row: {
      what: `\`limit_data ${stream} ${LIMIT_OCTETS}\``,
      clientLeg:
        stream === 'upstream'
          ? 'all acknowledged; FIN of the proxy, RST to what comes later'
          : `${LIMIT_OCTETS} octets, then FIN`,
      serverLeg:
        stream === 'upstream'
          ? `${LIMIT_OCTETS} octets, then FIN`
          : 'all acknowledged; FIN of the proxy, RST to what comes later',
      programs: `${receiver}: the first ${LIMIT_OCTETS} octets and the end; ${sender}: success, then the end`,
    },
    toxics: [{ type: 'limit_data', stream, octets: LIMIT_OCTETS }],
    async play(stage) {
      const way = await stage.established();
      await way[sender].send(new Uint8Array(LIMIT_OCTETS + 50));
      await Promise.all([listens(way.client), listens(way.server)]);
      await settles(stage);
    },
    checks: [
      fact({
        id: 'octets-limited',
        sentence: `The ${receiver} is given ${LIMIT_OCTETS} octets, to the octet`,
        source: LIMIT,
        look(legs) {
          const events = delivered(legs);
          const octets = events.reduce((sum, { segment }) => sum + segment.payload.length, 0);
          return { holds: octets === LIMIT_OCTETS, finding: `${octets} octets`, events };
        },
        mutate: (legs) => ({
          ...legs,
          [receiver]: changeSegments(legs[receiver], delivered(legs), ({ payload }) => ({
            payload: payload.subarray(1),
          })),
        }),
      }),
      proxyEndsWith('client', 'FIN', LIMIT),
      proxyEndsWith('server', 'FIN', LIMIT),
      told(receiver, 'end', LIMIT),
      goesThrough(receiver, ['ESTABLISHED', 'CLOSE-WAIT'], LIMIT),
    ],
  };
};

export const dataScenarios: readonly TableScenario[] = [
  latency,
  bandwidth,
  slicer,
  limitData('downstream'),
  limitData('upstream'),
];
