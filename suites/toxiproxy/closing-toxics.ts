/** Toxics and switches that end connections, or keep them from ending. */
import type { LegName, Stream, ViaStage } from '../../harness/index.js';
import { comesAfter, goesThrough, proxyEndsWith, told } from './checks.js';
import { AT_ONCE_MS, conversed, listens, settles } from './plays.js';
import type { TableScenario } from './row.js';

const LINGER = 'link.go, ToxicLink.Start (SetLinger 0)';
const RESET = 'toxics/reset_peer.go, ResetToxic.Pipe';
const SLOW = 'toxics/slow_close.go, SlowCloseToxic.Pipe';
const TIMEOUT = 'toxics/timeout.go, TimeoutToxic.Pipe';
const STOP = 'proxy.go, stop';

const AFTER_MS = 600;

/** The end that sends what a stream carries, and the one that receives it. */
const sendsOn = (stream: Stream): LegName => (stream === 'upstream' ? 'client' : 'server');
const receivesOn = (stream: Stream): LegName => (stream === 'upstream' ? 'server' : 'client');

const resetPeer = (stream: Stream): TableScenario => ({
  id: `toxiproxy/reset-peer-${stream}`,
  title: `shows that reset_peer ${stream} sends a RST to both ends, ${AFTER_MS} ms after the ${sendsOn(stream)} has sent something`,
  row: {
    what: `\`reset_peer ${stream}\``,
    clientLeg: 'RST of the proxy',
    serverLeg: 'RST of the proxy',
    programs: 'both: ECONNRESET, after the first data or the close of that stream; without either, nothing',
  },
  toxics: [{ type: 'reset_peer', stream, timeoutMs: AFTER_MS }],
  async play(stage) {
    const way = await stage.established();
    await way[sendsOn(stream)].send('ping');
    await Promise.all([listens(way.client), listens(way.server)]);
    await settles(stage);
  },
  checks: [
    proxyEndsWith('client', 'RST', LINGER),
    proxyEndsWith('server', 'RST', LINGER),
    goesThrough('client', ['ESTABLISHED', 'CLOSED'], LINGER),
    goesThrough('server', ['ESTABLISHED', 'CLOSED'], LINGER),
    told('client', 'ECONNRESET', LINGER),
    told('server', 'ECONNRESET', LINGER),
    comesAfter({
      id: 'reset-counts-from-data',
      sentence: `The RST comes ${AFTER_MS} ms after the first data of the stream, and not after the handshake`,
      source: RESET,
      from: { leg: sendsOn(stream), query: { from: sendsOn(stream), data: true } },
      to: { leg: receivesOn(stream), query: { has: 'RST' } },
      leastMs: AFTER_MS,
      mostMs: AFTER_MS + AT_ONCE_MS,
    }),
  ],
});

const slowClose = (stream: Stream): TableScenario => {
  const [closer, other] = [sendsOn(stream), receivesOn(stream)];
  return {
    id: `toxiproxy/slow-close-${stream}`,
    title: `shows that slow_close ${stream} holds the proxy in CLOSE-WAIT to the ${closer}, and the ${closer} in FIN-WAIT-2`,
    row: {
      what: `\`slow_close ${stream}\``,
      clientLeg:
        stream === 'upstream'
          ? 'FIN acknowledged at once; proxy in CLOSE-WAIT, client in FIN-WAIT-2 for the delay'
          : 'ESTABLISHED for the delay, then FIN',
      serverLeg:
        stream === 'upstream'
          ? 'ESTABLISHED for the delay, then FIN'
          : 'FIN acknowledged at once; proxy in CLOSE-WAIT, server in FIN-WAIT-2 for the delay',
      programs: `${other}: the end, the delay later`,
    },
    toxics: [{ type: 'slow_close', stream, delayMs: AFTER_MS }],
    async play(stage) {
      const way = await conversed(stage);
      await way[closer].close();
      await stage.reaches(closer === 'client' ? 'proxy-to-client' : 'proxy-to-server', 'CLOSE-WAIT');
      await listens(way[other]);
      await way[other].close();
      await settles(stage);
    },
    checks: [
      goesThrough(
        closer === 'client' ? 'proxy-to-client' : 'proxy-to-server',
        ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
        SLOW,
      ),
      goesThrough(closer, ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'], SLOW),
      goesThrough(other, ['ESTABLISHED', 'CLOSE-WAIT'], SLOW),
      told(other, 'end', SLOW),
      comesAfter({
        id: 'close-is-held',
        sentence: `The FIN goes on to the ${other} ${AFTER_MS} ms after it came`,
        source: SLOW,
        from: { leg: closer, query: { from: closer, has: 'FIN' } },
        to: { leg: other, query: { from: other === 'client' ? 'server' : 'client', has: 'FIN' } },
        leastMs: AFTER_MS,
        mostMs: AFTER_MS + AT_ONCE_MS,
      }),
      comesAfter({
        id: 'fin-acknowledged-at-once',
        sentence: 'The proxy’s kernel acknowledges the FIN at once all the same',
        source: 'the kernel; link.go, ToxicLink.read has read the end',
        from: { leg: closer, query: { from: closer, has: 'FIN' } },
        to: { leg: closer, query: { from: other, role: 'active-fin-ack' } },
        leastMs: 0,
        mostMs: AT_ONCE_MS,
      }),
    ],
  };
};

const timeout = (stream: Stream): TableScenario => {
  const [sender, receiver] = [sendsOn(stream), receivesOn(stream)];
  return {
    id: `toxiproxy/timeout-${stream}`,
    title: `shows that timeout ${stream} swallows what the ${sender} sends, and then closes both connections with a FIN`,
    row: {
      what: `\`timeout ${stream} after ${AFTER_MS}ms\``,
      clientLeg:
        stream === 'upstream' ? 'data acknowledged, then FIN of the proxy' : 'no data, then FIN of the proxy',
      serverLeg:
        stream === 'upstream' ? 'no data, then FIN of the proxy' : 'data acknowledged, then FIN of the proxy',
      programs: `${receiver}: none of the data, then the end; no error anywhere`,
    },
    toxics: [{ type: 'timeout', stream, timeoutMs: AFTER_MS }],
    async play(stage) {
      const way = await stage.established();
      await way[sender].send('lost');
      await Promise.all([listens(way.client), listens(way.server)]);
      await settles(stage);
    },
    checks: [
      proxyEndsWith('client', 'FIN', TIMEOUT),
      proxyEndsWith('server', 'FIN', TIMEOUT),
      goesThrough('client', ['ESTABLISHED', 'CLOSE-WAIT'], TIMEOUT),
      goesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT'], TIMEOUT),
      told(receiver, 'end', TIMEOUT),
      comesAfter({
        id: 'closes-after-the-time-out',
        sentence: `The proxy closes ${AFTER_MS} ms after the last data of the stream: each piece of it starts the time anew`,
        source: TIMEOUT,
        from: { leg: sender, query: { from: sender, data: true } },
        to: { leg: receiver, query: { from: receiver === 'client' ? 'server' : 'client', has: 'FIN' } },
        leastMs: AFTER_MS,
        mostMs: AFTER_MS + AT_ONCE_MS,
      }),
    ],
  };
};

/** Both connections stay, and nothing tells the receiver that the sender has sent. */
async function waitsInVain(stage: ViaStage): Promise<void> {
  const { client, server } = await stage.established();
  await server.send('lost');
  await listens(client, AFTER_MS);
}

const PAUSE_MS = 200;
const PAUSES = 5;

const others: readonly TableScenario[] = [
  {
    id: 'toxiproxy/reset-peer-added-later',
    title: 'shows that reset_peer on a connection that is there already closes it with a FIN, and no RST',
    row: {
      what: '`reset_peer`, added while connected',
      clientLeg: 'FIN of the proxy, no RST',
      serverLeg: 'FIN of the proxy, no RST',
      programs: 'both: the end',
    },
    async play(stage) {
      const { client, server } = await conversed(stage);
      await stage.proxy.add('reset_peer downstream');
      await server.send('more');
      await Promise.all([listens(client), listens(server)]);
      await settles(stage);
    },
    checks: [
      proxyEndsWith('client', 'FIN', 'link.go, ToxicLink.AddToxic (sets no linger)'),
      proxyEndsWith('server', 'FIN', 'link.go, ToxicLink.AddToxic (sets no linger)'),
      told('client', 'end', RESET),
      told('server', 'end', RESET),
    ],
  },
  {
    id: 'toxiproxy/timeout-0',
    title:
      'shows that timeout 0 leaves the connection half open: acknowledged, never delivered, never closed',
    row: {
      what: '`timeout downstream after 0ms`',
      clientLeg: 'nothing; ESTABLISHED',
      serverLeg: 'data acknowledged; ESTABLISHED',
      programs: 'client: nothing, for ever; server: success',
    },
    toxics: ['timeout downstream after 0ms'],
    play: waitsInVain,
    checks: [
      told('client', 'nothing', TIMEOUT),
      goesThrough('client', ['SYN-SENT', 'ESTABLISHED'], TIMEOUT),
      goesThrough('server', ['SYN-RECEIVED', 'ESTABLISHED'], TIMEOUT),
      comesAfter({
        id: 'data-acknowledged-at-once',
        sentence: 'What is thrown away is acknowledged to its sender at once',
        source: TIMEOUT,
        from: { leg: 'server', query: { from: 'server', data: true } },
        to: { leg: 'server', query: { from: 'client', relAck: 5 } },
        leastMs: 0,
        mostMs: AT_ONCE_MS,
      }),
    ],
  },
  {
    id: 'toxiproxy/timeout-0-removed',
    title: 'shows that removing a timeout closes the connections it worked on: what was sent never comes',
    row: {
      what: '`timeout`, removed',
      clientLeg: 'FIN of the proxy',
      serverLeg: 'FIN of the proxy',
      programs: 'both: the end; the data is lost',
    },
    toxics: ['timeout downstream after 0ms'],
    async play(stage) {
      const { client, server } = await stage.established();
      await server.send('lost');
      await settles(stage);
      await stage.proxy.remove('timeout_downstream');
      await Promise.all([listens(client), listens(server)]);
    },
    checks: [
      told('client', 'end', 'toxics/timeout.go, TimeoutToxic.Cleanup'),
      proxyEndsWith('client', 'FIN', 'toxics/timeout.go, TimeoutToxic.Cleanup'),
      proxyEndsWith('server', 'FIN', 'toxics/timeout.go, TimeoutToxic.Cleanup'),
    ],
  },
  {
    id: 'toxiproxy/timeout-restarts',
    title: 'shows that timeout never comes while the sender goes on sending',
    row: {
      what: `\`timeout upstream after ${AFTER_MS}ms\`, data each ${PAUSE_MS} ms`,
      clientLeg: 'all acknowledged; FIN of the proxy once the client is silent',
      serverLeg: 'no data; FIN of the proxy then',
      programs: 'client: success, until it stops',
    },
    toxics: [`timeout upstream after ${AFTER_MS}ms`],
    async play(stage) {
      const { client } = await stage.established();
      for (let i = 0; i < PAUSES; i += 1) {
        await client.send('x');
        await stage.pass(PAUSE_MS, 'less than the time-out');
      }
      await listens(client);
    },
    checks: [
      told('client', 'end', TIMEOUT),
      comesAfter({
        id: 'time-out-restarts',
        sentence: 'The proxy closes after the last data, not after the first',
        source: `${TIMEOUT} (time.After in its loop)`,
        from: { leg: 'client', query: { from: 'client', data: true } },
        to: { leg: 'client', query: { from: 'server', has: 'FIN' } },
        leastMs: (PAUSES - 1) * PAUSE_MS + AFTER_MS,
        mostMs: (PAUSES - 1) * PAUSE_MS + AFTER_MS + 2 * AT_ONCE_MS,
      }),
    ],
  },
  {
    id: 'toxiproxy/down',
    title: 'shows that a proxy that is down refuses: RST to the SYN',
    row: {
      what: '`down`',
      clientLeg: 'SYN, RST',
      serverLeg: 'nothing',
      programs: 'client: ECONNREFUSED',
    },
    toxics: ['down'],
    async play(stage) {
      await stage.client.connect(stage.proxyAddress).catch(() => {});
    },
    checks: [
      told('client', 'ECONNREFUSED', STOP, 'connect'),
      proxyEndsWith('client', 'RST', STOP),
      goesThrough('client', ['SYN-SENT', 'CLOSED'], STOP),
    ],
  },
  {
    id: 'toxiproxy/down-while-connected',
    title: 'shows that a proxy that goes down closes its connections with a FIN',
    row: {
      what: '`down`, while connected',
      clientLeg: 'FIN of the proxy',
      serverLeg: 'FIN of the proxy',
      programs: 'both: the end; a new connect: ECONNREFUSED',
    },
    async play(stage) {
      const { client, server } = await conversed(stage);
      await stage.proxy.disable();
      await Promise.all([listens(client), listens(server)]);
      await stage.client.connect(stage.proxyAddress).catch(() => {});
    },
    checks: [
      proxyEndsWith('client', 'FIN', STOP),
      proxyEndsWith('server', 'FIN', STOP),
      told('client', 'end', STOP),
      told('server', 'end', STOP),
      told('client', 'ECONNREFUSED', STOP, 'connect'),
    ],
  },
];

const STREAMS: readonly Stream[] = ['downstream', 'upstream'];

export const closingScenarios: readonly TableScenario[] = [
  ...STREAMS.map(resetPeer),
  ...STREAMS.map(slowClose),
  ...STREAMS.map(timeout),
  ...others,
];
