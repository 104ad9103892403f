import { expect } from 'chai';
import { SocketError, Unsupported } from '../endpoint.js';
import { Loopback, rejection } from '../loopback-fixture.js';
import { driveOwn } from './own-fixture.js';

const text = (data: Uint8Array) => new TextDecoder().decode(data);

describe('a socket of our own TCP', () => {
  let loopback: Loopback;
  beforeEach(() => {
    loopback = new Loopback(4, driveOwn);
  });
  afterEach(() => loopback[Symbol.asyncDispose]());

  /** Options as they are read back where they differ from what was set. */
  const READ_AS: Readonly<Record<string, number>> = { IP_TOS: 0xb8 };

  for (const [name, value] of Object.entries({
    SO_RCVBUF: 20_000,
    SO_SNDBUF: 30_000,
    SO_KEEPALIVE: 1,
    SO_OOBINLINE: 1,
    SO_REUSEADDR: 1,
    SO_LINGER: 3,
    TCP_NODELAY: 1,
    TCP_CORK: 1,
    TCP_KEEPIDLE: 60,
    TCP_KEEPINTVL: 5,
    TCP_KEEPCNT: 4,
    TCP_SYNCNT: 2,
    TCP_LINGER2: 7,
    TCP_QUICKACK: 1,
    TCP_USER_TIMEOUT: 12_345,
    TCP_RTO_MIN_US: 300_000,
    IP_TTL: 12,
    IP_TOS: 0xba,
  }))
    it(`keeps ${name}, set before it connects and after`, async () => {
      const listener = await loopback.server.listen();
      const options = { [name]: value };
      const before = await loopback.client.connect(listener.local, { options });
      expect(await before.getOption(name)).to.equal(READ_AS[name] ?? value);
      const after = await loopback.client.connect(listener.local);
      await after.setOption(name, value);
      expect(await after.getOption(name)).to.equal(READ_AS[name] ?? value);
    });

  for (const [name, value, errno] of [
    ['TCP_MAXSEG', 1_000_000, 'EINVAL'],
    ['TCP_KEEPCNT', 0, 'EINVAL'],
    ['IP_TTL', 256, 'EINVAL'],
    ['TCP_CONGESTION', 'vegas', 'ENOENT'],
    ['SO_TYPE', 1, 'ENOPROTOOPT'],
  ] as const)
    it(`says ${errno} for ${name} = ${value}`, async () => {
      const { client } = await loopback.pair();
      const error = await rejection(client.setOption(name, value));
      expect(error).to.be.instanceOf(SocketError).with.property('errno', errno);
    });

  it('says which option it does not have', async () => {
    const { client } = await loopback.pair();
    const error = await rejection(client.setOption('TCP_THIN_DUPACK', 1));
    expect(error)
      .to.be.instanceOf(Unsupported)
      .with.property('message', 'the endpoint stack has no socket option TCP_THIN_DUPACK');
  });

  it('leaves urgent data in the stream where its program wants it there', async () => {
    const { client, server } = await loopback.pair();
    await server.setOption('SO_OOBINLINE', 1);
    await client.send('ab!', { flags: ['OOB'] });
    await client.send('c');
    // No call reads across the mark.
    expect(text((await server.receiveAll({ octets: 2 })).data)).to.equal('ab');
    expect(await server.atUrgentMark()).to.equal(true);
    expect(text((await server.receiveAll({ octets: 2 })).data)).to.equal('!c');
    const error = await rejection(server.receive({ flags: ['OOB', 'DONTWAIT'] }));
    expect(error).to.have.property('errno', 'EINVAL');
  });

  it('takes an urgent octet out once, peeked at or not', async () => {
    const { client, server } = await loopback.pair();
    await client.send('a!', { flags: ['OOB'] });
    const urgent = { kind: 'data', data: Uint8Array.of('!'.charCodeAt(0)) };
    expect(await server.receive({ flags: ['OOB', 'PEEK'] })).to.deep.equal(urgent);
    expect(await server.receive({ flags: ['OOB'] })).to.deep.equal(urgent);
    const error = await rejection(server.receive({ flags: ['OOB', 'DONTWAIT'] }));
    expect(error).to.have.property('errno', 'EINVAL');
    await client.send('b');
    expect(text((await server.receiveAll({ octets: 1 })).data)).to.equal('a');
    expect(text((await server.receiveAll({ octets: 1 })).data)).to.equal('b');
  });

  it('tells its state, its timers and its queues', async () => {
    const { client, server, listener } = await loopback.pair();
    await client.send('abc');
    expect((await client.info()).state).to.equal('ESTABLISHED');
    expect((await client.info()).options).to.include({ timestamps: true, sack: true, windowScale: true });
    const sockets = await loopback.server.sockets();
    expect(sockets.map(({ state }) => state)).to.have.members(['LISTEN', 'ESTABLISHED', 'ESTABLISHED']);
    const own = sockets.find(({ local, state }) => state !== 'LISTEN' && local.port === listener.local.port);
    expect(own?.recvQueueOctets).to.equal(3);
    await server.close();
  });

  it('stays in TIME-WAIT with its timer, and keeps its port from who does not ask for it', async () => {
    const listener = await loopback.server.listen();
    const client = await loopback.client.connect(listener.local, { fromPort: 4242 });
    const server = await listener.accept();
    await client.close();
    await server.receive();
    await server.close();
    await loopback.until(async () =>
      (await loopback.client.sockets()).some(({ state }) => state === 'TIME-WAIT'),
    );
    const left = (await loopback.client.sockets()).find(({ state }) => state === 'TIME-WAIT');
    expect(left?.timer).to.include({ name: 'time-wait', retransmits: 0 });
    expect(left?.timer?.remainsMs).to.be.within(50_000, 60_000);
    expect(await rejection(loopback.client.listen({ port: 4242 }))).to.have.property('errno', 'EADDRINUSE');
    const again = await loopback.client.listen({ port: 4242, options: { SO_REUSEADDR: 1 } });
    expect(again.local.port).to.equal(4242);
  });

  it('aborts connections that nobody accepted when their listener closes', async () => {
    const listener = await loopback.server.listen();
    const client = await loopback.client.connect(listener.local);
    await listener.close();
    expect(await rejection(client.receive())).to.have.property('errno', 'ECONNRESET');
  });

  it('reads nothing any more after a shutdown of reading, and sends on', async () => {
    const { client, server } = await loopback.pair();
    await server.shutdown('read');
    expect(await server.receive()).to.deep.equal({ kind: 'end' });
    await server.send('still');
    expect(text((await client.receiveAll({ octets: 5 })).data)).to.equal('still');
  });

  it('resets the other side where its program closes with data unread', async () => {
    const { client, server } = await loopback.pair();
    await client.send('unread');
    await server.close();
    expect(await rejection(client.receive())).to.have.property('errno', 'ECONNRESET');
  });
});
