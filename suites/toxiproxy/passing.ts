/** What passes through a proxy that has no toxic at all, and what does not: TCP ends at it. */
import type { ViaStage } from '../../harness/index.js';
import { comesAfter, goesThrough, proxyEndsWith, told } from './checks.js';
import { AT_ONCE_MS, conversed, listens, settles, tries } from './plays.js';
import type { TableScenario } from './row.js';
import { cutAnew, ownIsns, ownMss, staysOnItsLeg, urgentOctetIsLost } from './separate.js';

const WRITE = 'link.go, ToxicLink.write';
const READ = 'link.go, ToxicLink.read';
const ACCEPT = 'proxy.go, Proxy.server';
const COPY = 'link.go, ToxicLink.read and write (io.Copy)';

const OCTETS = 6000;

async function sendsMuch(stage: ViaStage): Promise<void> {
  const { client, server } = await stage.established();
  await server.send(new Uint8Array(OCTETS));
  await client.receiveAll({ octets: OCTETS });
}

/** The first end closes one direction, the other answers: the answer is on its way when the proxy closes all. */
const closesHalf = (first: 'client' | 'server') => async (stage: ViaStage) => {
  const { client, server } = await conversed(stage);
  const [closer, other] = first === 'client' ? [client, server] : [server, client];
  await closer.shutdown('write');
  await listens(other);
  await listens(closer);
  await tries(other, 'an answer after the end of the question');
  await settles(stage);
};

const aborts = (first: 'client' | 'server') => async (stage: ViaStage) => {
  const { client, server } = await conversed(stage);
  const [aborter, other] = first === 'client' ? [client, server] : [server, client];
  await aborter.abort();
  await listens(other);
  await settles(stage);
};

export const passingScenarios: readonly TableScenario[] = [
  {
    id: 'toxiproxy/two-connections',
    title: 'shows that the two legs are two connections: nothing of one handshake is in the other',
    row: {
      what: 'no toxic, data',
      clientLeg: 'a handshake, ISNs, MSS and window of its own; data cut anew',
      serverLeg: 'the same; the proxy acknowledges what the client has not got',
      programs: 'the stream, in other pieces',
    },
    mtu: { server: 9000 },
    play: sendsMuch,
    checks: [
      ownIsns(ACCEPT),
      ownMss(ACCEPT),
      cutAnew(COPY),
      goesThrough('client', ['SYN-SENT', 'ESTABLISHED'], ACCEPT),
      goesThrough('server', ['SYN-RECEIVED', 'ESTABLISHED'], ACCEPT),
    ],
  },
  {
    id: 'toxiproxy/urgent-data',
    title: 'shows that urgent data does not pass: its octet is missing from the stream',
    row: {
      what: 'no toxic, urgent data',
      clientLeg: 'URG and urgent pointer',
      serverLeg: 'no URG; one octet less',
      programs: 'no SIGURG or POLLPRI at the other end; the urgent octet is lost',
    },
    async play(stage) {
      const { client, server } = await stage.established();
      await client.send('ab!', { flags: ['OOB'] });
      await stage.pass(50, 'so that it is read before the rest comes');
      await client.send('cd');
      await server.receiveAll({ octets: 4 });
      await settles(stage);
    },
    checks: [urgentOctetIsLost('Go reads without SO_OOBINLINE (link.go, ToxicLink.read)')],
  },
  {
    id: 'toxiproxy/keep-alive',
    title: 'shows that keep-alives end at the proxy: they say nothing of the other end',
    row: {
      what: 'no toxic, keep-alive of the client',
      clientLeg: 'a probe, answered by the proxy’s kernel',
      serverLeg: 'nothing',
      programs: 'nothing, also when the other end is long gone',
    },
    async play(stage) {
      const { client } = await stage.established();
      await client.setOption('TCP_KEEPIDLE', 1);
      await client.setOption('SO_KEEPALIVE', 1);
      await stage.pass(1500, 'the client is idle for a second');
    },
    checks: [staysOnItsLeg('keep-alive', ACCEPT)],
  },
  {
    id: 'toxiproxy/half-close',
    title: 'shows that a half-close of the client becomes a full close: the answer is lost',
    row: {
      what: 'no toxic, the client shuts its sending side',
      clientLeg: 'FIN, and a FIN of the proxy at once',
      serverLeg: 'FIN of the proxy; RST when the server answers',
      programs: 'client: the end instead of its answer; server: the end, and then EPIPE or ECONNRESET',
    },
    play: closesHalf('client'),
    checks: [
      goesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2?', 'CLOSING?', 'TIME-WAIT'], WRITE),
      goesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT', 'CLOSED'], WRITE),
      told('client', 'end', WRITE),
      comesAfter({
        id: 'proxy-closes-too',
        sentence: 'The proxy sends its own FIN to the client at once, although the server has not closed',
        source: `${WRITE} closes both directions of the other connection`,
        from: { leg: 'client', query: { from: 'client', has: 'FIN' } },
        to: { leg: 'client', query: { from: 'server', has: 'FIN' } },
        leastMs: 0,
        mostMs: AT_ONCE_MS,
      }),
      comesAfter({
        id: 'answer-is-reset',
        sentence: 'What the server sends after the client’s FIN is answered with a RST',
        source: WRITE,
        from: { leg: 'server', query: { from: 'server', data: true, relSeq: 5 } },
        to: { leg: 'server', query: { from: 'client', has: 'RST' } },
        leastMs: 0,
        mostMs: AT_ONCE_MS,
      }),
    ],
  },
  {
    id: 'toxiproxy/half-close-of-the-server',
    title: 'shows that a half-close of the server becomes a full close, too',
    row: {
      what: 'no toxic, the server shuts its sending side',
      clientLeg: 'FIN of the proxy; RST when the client goes on',
      serverLeg: 'FIN, and a FIN of the proxy at once',
      programs: 'both: the end; what the client sends then is lost',
    },
    play: closesHalf('server'),
    checks: [
      goesThrough('server', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2?', 'CLOSING?', 'TIME-WAIT'], WRITE),
      goesThrough('client', ['ESTABLISHED', 'CLOSE-WAIT', 'CLOSED'], WRITE),
      told('server', 'end', WRITE),
      proxyEndsWith('client', 'FIN', WRITE),
      proxyEndsWith('server', 'FIN', WRITE),
    ],
  },
  {
    id: 'toxiproxy/reset-by-the-client',
    title: 'shows that a RST of the client becomes a FIN at the server',
    row: {
      what: 'no toxic, the client resets',
      clientLeg: 'RST',
      serverLeg: 'FIN of the proxy',
      programs: 'server: the end, as of an orderly close',
    },
    play: aborts('client'),
    checks: [
      proxyEndsWith('server', 'FIN', READ),
      goesThrough('proxy-to-client', ['ESTABLISHED', 'CLOSED'], READ),
      goesThrough('server', ['ESTABLISHED', 'CLOSE-WAIT'], READ),
      told('server', 'end', READ),
    ],
  },
  {
    id: 'toxiproxy/reset-by-the-server',
    title: 'shows that a RST of the server becomes a FIN at the client',
    row: {
      what: 'no toxic, the server resets',
      clientLeg: 'FIN of the proxy',
      serverLeg: 'RST',
      programs: 'client: the end, as of an orderly close',
    },
    play: aborts('server'),
    checks: [
      proxyEndsWith('client', 'FIN', READ),
      goesThrough('proxy-to-server', ['ESTABLISHED', 'CLOSED'], READ),
      goesThrough('client', ['ESTABLISHED', 'CLOSE-WAIT'], READ),
      told('client', 'end', READ),
    ],
  },
];
