import { expect } from 'chai';
import { keepsTheProtocol } from '../agent/agent-contract.fixture.js';
import { AgentEndpoint } from '../agent/agent-endpoint.js';
import type { AgentTransition } from '../agent/agent-events.js';
import { SocketError, Unsupported } from '../endpoint.js';
import { rejection } from '../loopback-fixture.js';
import { type ServedPlace, serveOwn } from './server.fixture.js';

const IP = '192.0.2.1';

describe('the agent for our own TCP', () => {
  let place: ServedPlace;
  beforeEach(() => {
    place = serveOwn(IP);
  });
  afterEach(() => place[Symbol.dispose]());

  const endpoint = (side: 'client' | 'server') =>
    new AgentEndpoint({
      client: place.client,
      side,
      ip: IP,
      clock: place.clock,
      log: () => {},
      stack: 'stack@1',
      sockets: () => place.client.sockets(),
    });

  async function pair() {
    const listener = await endpoint('server').listen();
    const client = await endpoint('client').connect(listener.local);
    return { listener, client, server: await listener.accept() };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  keepsTheProtocol(() => ({ client: place.client, ip: IP, endpoint }));

  it('says who it is, and what it has', async () => {
    const { version, stack, system, capabilities } = await place.client.hello();
    expect([version, system]).to.deep.equal([1, 'a test']);
    expect(stack).to.match(/^stack@\d/);
    expect(capabilities).to.deep.equal({
      namespaces: false,
      netlink: false,
      files: false,
      tcpInfo: true,
      sockets: true,
      stateEvents: true,
      transitions: true,
    });
  });

  it('says "unsupported" to what it does not have', async () => {
    for (const asked of [
      place.client.newNamespace(),
      place.client.netlink(0, 0, new Uint8Array(16)),
      place.client.readFile(0, '/proc/uptime'),
    ])
      expect(await rejection(asked)).to.be.instanceOf(Unsupported);
    const { handle } = await place.client.request('SOCKET', { body: { family: 4, namespace: 0 } });
    const option = place.client.request('GET_OPTION', { handle, body: { name: 'TCP_OF_TOMORROW', kind: 0 } });
    expect(await rejection(option)).to.be.instanceOf(Unsupported);
  });

  it('has no sockets of a version of IP that its host has no address of', async () => {
    const asked = place.client.request('SOCKET', { body: { family: 6, namespace: 0 } });
    expect(await rejection(asked))
      .to.be.instanceOf(SocketError)
      .with.property('errno', 'EAFNOSUPPORT');
  });

  it('tells each change of state of both ends, those without a socket too, at its time', async () => {
    const seen: AgentTransition[] = [];
    const beganNs = process.hrtime.bigint();
    await place.client.watchTransitions((transition) => seen.push(transition));
    const { listener, client, server } = await pair();
    await client.close();
    await server.receive();
    await server.close();
    await until(() => seen.some(({ from }) => from === 'LAST-ACK'));
    const of = (port: number) =>
      seen.filter(({ local }) => local.port === port).map(({ from, to }) => `${from} -> ${to}`);
    expect(of(client.local.port)).to.deep.equal([
      'CLOSED -> SYN-SENT',
      'SYN-SENT -> ESTABLISHED',
      'ESTABLISHED -> FIN-WAIT-1',
      'FIN-WAIT-1 -> FIN-WAIT-2',
      'FIN-WAIT-2 -> TIME-WAIT',
    ]);
    expect(of(listener.local.port)).to.deep.equal([
      'CLOSED -> LISTEN',
      'LISTEN -> SYN-RECEIVED',
      'SYN-RECEIVED -> ESTABLISHED',
      'ESTABLISHED -> CLOSE-WAIT',
      'CLOSE-WAIT -> LAST-ACK',
      'LAST-ACK -> CLOSED',
    ]);
    const last = seen.find(({ to }) => to === 'TIME-WAIT');
    expect(last?.remainsNs).to.be.within(59e9, 60e9);
    const times = seen.map(({ atMonotonicNs }) => atMonotonicNs);
    expect(times.every((ns) => ns >= beganNs && ns <= process.hrtime.bigint())).to.equal(true);
    expect(times).to.deep.equal([...times].sort((a, b) => Number(a - b)));
  });

  it('lists its sockets with their queues and timers', async () => {
    const { client, server, listener } = await pair();
    await client.send('abc');
    await client.close();
    await server.receive();
    await server.close();
    const sockets = await endpoint('client').sockets();
    const closed = sockets.find(({ local }) => local.port === client.local.port);
    expect(closed).to.deep.include({ state: 'TIME-WAIT', remote: listener.local, recvQueueOctets: 0 });
    expect(closed?.timer?.name).to.equal('time-wait');
    expect(closed?.timer?.remainsMs).to.be.within(59_000, 60_000);
  });

  it('gives TCP_INFO as far as the stack has it', async () => {
    const { client } = await pair();
    await client.send('abc');
    const info = await client.info();
    expect(info).to.include({ state: 'ESTABLISHED', caState: 'open', pmtuOctets: 65_535 });
    expect(info.options).to.include({ timestamps: true, sack: true, windowScale: true });
    expect(info.minRttUs).to.be.greaterThan(0);
    expect(info.bytesSent).to.equal(undefined);
  });

  it('answers what waits at a socket with EBADF before its close', async () => {
    const { handle } = await place.client.request('SOCKET', { body: { family: 4, namespace: 0 } });
    await place.client.request('LISTEN', { handle, body: { backlog: 1 } });
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      const failed = (error: unknown) => order.push(String((error as SocketError).errno));
      place.client.post('ACCEPT', { handle, body: {} }, { answered: () => order.push('accepted'), failed });
      place.client.post(
        'CLOSE',
        { handle, body: {} },
        { answered: () => resolve(void order.push('closed')), failed },
      );
    });
    expect(order).to.deep.equal(['EBADF', 'closed']);
  });

  it('says once, and again to each who asks, why an opening failed', async () => {
    const { handle } = await place.client.request('SOCKET', { body: { family: 4, namespace: 0 } });
    expect(await rejection(place.client.request('ESTABLISHED', { handle, body: {} }))).to.have.property(
      'errno',
      'ENOTCONN',
    );
    await place.client.request('CONNECT', { handle, body: { address: { ip: IP, port: 9 } } });
    for (let i = 0; i < 2; i += 1)
      expect(await rejection(place.client.request('ESTABLISHED', { handle, body: {} }))).to.have.property(
        'errno',
        'ECONNREFUSED',
      );
  });

  it('ends where the framing is lost, and aborts what was open', async () => {
    await pair();
    const pending = rejection(place.client.hello());
    place.channel.send(Uint8Array.of(0, 0, 0, 1));
    expect(await place.ended).to.include('a message says that it has 1 octets');
    expect(String(await pending)).to.include('the agent is gone');
  });

  it('answers all that many ask for at once, however much it is', async () => {
    const { client, server } = await pair();
    await client.send(new Uint8Array(50_000));
    await until(() => true);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => server.receive({ flags: ['PEEK'], max: 50_000 })),
    );
    expect(answers.every((each) => each.kind === 'data' && each.data.length > 0)).to.equal(true);
  });
});
