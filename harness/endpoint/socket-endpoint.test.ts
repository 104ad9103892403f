import { expect } from 'chai';
import { driveAgent, needsAgent } from './agent/agent-fixture.js';
import { driveOwnAgent } from './agent-server/server.fixture.js';
import { SocketError, Unsupported, WaitTimeout } from './endpoint.js';
import { type Drive, driveKernel, Loopback, rejection } from './loopback-fixture.js';
import { driveOwn, driveOwnFromAfar } from './own-stack/own-fixture.js';

const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** Every driver of sockets answers and records alike. */
const DRIVERS: readonly { name: string; drive: Drive; needs: (this: Mocha.Context) => void }[] = [
  { name: 'the system calls of this kernel', drive: driveKernel, needs: () => {} },
  { name: 'an agent', drive: driveAgent, needs: needsAgent },
  { name: 'our own TCP', drive: driveOwn, needs: () => {} },
  { name: 'our own TCP on another thread', drive: driveOwnFromAfar, needs: () => {} },
  { name: 'our own TCP behind an agent', drive: driveOwnAgent, needs: () => {} },
];

for (const { name, drive, needs } of DRIVERS) {
  const isKernel = !name.startsWith('our own');
  for (const ipVersion of [4, 6] as const) {
    describe(`an endpoint driven by ${name}, over IPv${ipVersion}`, () => {
      let loopback: Loopback;
      before(needs);
      beforeEach(() => {
        loopback = new Loopback(ipVersion, drive);
      });
      afterEach(() => loopback[Symbol.asyncDispose]());

      it('connects, accepts and carries data both ways', async () => {
        const { client, server, listener } = await loopback.pair();
        expect(client.remote).to.deep.equal(listener.local);
        expect(server.remote).to.deep.equal(client.local);
        expect(await client.send('ping')).to.equal(4);
        expect(text((await server.receiveAll({ octets: 4 })).data)).to.equal('ping');
        await server.send(Uint8Array.of(1, 2, 3).subarray(1));
        expect(await client.receive()).to.deep.equal({ kind: 'data', data: Uint8Array.of(2, 3) });
      });

      it('connects from the port that it is given', async () => {
        const listener = await loopback.server.listen();
        const client = await loopback.client.connect(listener.local, { fromPort: 4242 });
        expect(client.local).to.deep.equal({ ip: loopback.ip, port: 4242 });
        expect((await listener.accept()).remote.port).to.equal(4242);
      });

      it('says EADDRINUSE for a port that is taken', async () => {
        const { local } = await loopback.server.listen();
        const error = await rejection(loopback.server.listen({ port: local.port }));
        expect(error).to.be.instanceOf(SocketError).with.property('errno', 'EADDRINUSE');
      });

      it('is refused where nobody listens', async () => {
        const error = await rejection(loopback.client.connect({ ip: loopback.ip, port: 9 }));
        expect(error).to.be.instanceOf(SocketError).and.include({ errno: 'ECONNREFUSED', call: 'connect' });
      });

      it('queues as many connections as the backlog and one more, and leaves the next in SYN-SENT', async () => {
        const listener = await loopback.server.listen({ backlog: 1 });
        const first = [
          await loopback.client.connect(listener.local),
          await loopback.client.connect(listener.local),
        ];
        const waiting = await loopback.client.open(listener.local, { withinMs: 30 });
        expect(await rejection(waiting.established)).to.be.instanceOf(WaitTimeout);
        expect(await waiting.state()).to.equal('SYN-SENT');
        for (const { local } of first) expect((await listener.accept()).remote).to.deep.equal(local);
      });

      it('tells the end of the stream from a reset', async () => {
        const graceful = await loopback.pair();
        await graceful.server.close();
        expect(await graceful.client.receive()).to.deep.equal({ kind: 'end' });
        const reset = await loopback.pair();
        await reset.server.abort();
        const error = await rejection(reset.client.receive());
        expect(error).to.be.instanceOf(SocketError).with.property('errno', 'ECONNRESET');
      });

      it('carries data against the direction that is already shut', async () => {
        const { client, server } = await loopback.pair();
        await client.shutdown('write');
        expect(await server.receive()).to.deep.equal({ kind: 'end' });
        expect(await server.state()).to.equal('CLOSE-WAIT');
        await loopback.until(async () => (await client.state()) === 'FIN-WAIT-2');
        await server.send('late');
        await server.shutdown('write');
        const rest = await client.receiveAll();
        expect([text(rest.data), rest.ended]).to.deep.equal(['late', true]);
        const error = await rejection(client.send('x'));
        expect(error).to.be.instanceOf(SocketError).with.property('errno', 'EPIPE');
      });

      it('names the addresses and the error of a port that is no port', async () => {
        const error = await rejection(loopback.client.connect({ ip: loopback.ip, port: 70000 }));
        expect(error).to.be.instanceOf(RangeError).with.property('message').that.includes('70000');
      });
    });
  }

  describe(`an endpoint driven by ${name}`, () => {
    let loopback: Loopback;
    before(needs);
    beforeEach(() => {
      loopback = new Loopback(4, drive);
    });
    afterEach(() => loopback[Symbol.asyncDispose]());

    it('waits for urgent data and takes it out of the stream', async () => {
      const { client, server } = await loopback.pair();
      const urgent = server.receive({ max: 1, flags: ['OOB'] });
      await client.send('ab!', { flags: ['OOB'] });
      expect(await urgent).to.deep.equal({ kind: 'data', data: Uint8Array.of('!'.charCodeAt(0)) });
      expect(await server.atUrgentMark()).to.equal(false);
      expect(text((await server.receiveAll({ octets: 2 })).data)).to.equal('ab');
      expect(await server.atUrgentMark()).to.equal(true);
    });

    it('says EINVAL for urgent data that is not there, when asked not to wait', async () => {
      const { server } = await loopback.pair();
      const error = await rejection(server.receive({ flags: ['OOB', 'DONTWAIT'] }));
      expect(error).to.be.instanceOf(SocketError).with.property('errno', 'EINVAL');
    });

    it('peeks without taking', async () => {
      const { client, server } = await loopback.pair();
      await client.send('abc');
      expect(await server.receive({ max: 2, flags: ['PEEK'] }))
        .to.have.property('data')
        .that.has.length(2);
      expect(await server.receive())
        .to.have.property('data')
        .that.has.length(3);
    });

    it('says EAGAIN when there is nothing and it may not wait', async () => {
      const { server } = await loopback.pair();
      const error = await rejection(server.receive({ flags: ['DONTWAIT'] }));
      expect(error).to.be.instanceOf(SocketError).with.property('errno', 'EAGAIN');
    });

    it('tells its own time-out from the stack’s', async () => {
      const { client, listener } = await loopback.pair();
      for (const waiting of [client.receive({ withinMs: 5 }), listener.accept({ withinMs: 5 })]) {
        expect(await rejection(waiting))
          .to.be.instanceOf(WaitTimeout)
          .with.property('withinMs', 5);
      }
      expect(loopback.calls.at(-1)?.result).to.deep.equal({ kind: 'timeout', withinMs: 5 });
    });

    it('gives the stack’s own ETIMEDOUT as a socket error', async () => {
      const listener = await loopback.server.listen({ backlog: 0 });
      await loopback.client.connect(listener.local);
      const waiting = await loopback.client.open(listener.local, {
        options: { TCP_USER_TIMEOUT: 20, TCP_SYNCNT: 1 },
      });
      const error = await rejection(waiting.established);
      expect(error).to.be.instanceOf(SocketError).with.property('errno', 'ETIMEDOUT');
    });

    it('says in a time-out of receiveAll how much came', async () => {
      const { client, server } = await loopback.pair();
      await client.send('abc');
      const error = await rejection(server.receiveAll({ octets: 10, withinMs: 10 }));
      expect(error).to.be.instanceOf(WaitTimeout);
      expect(String(error)).to.include('3 octets came while waiting for 10 octets');
    });

    it('sends more than the buffers hold by waiting for the reader', async () => {
      const { client, server } = await loopback.pair();
      const data = new Uint8Array(8_000_000).fill(7);
      const [sent, got] = await Promise.all([client.send(data), server.receiveAll({ octets: data.length })]);
      expect([sent, got.data.length]).to.deep.equal([data.length, data.length]);
    });

    it('gives the octets taken when the buffers are full and nobody reads', async () => {
      const listener = await loopback.server.listen({ options: { SO_RCVBUF: 4096 } });
      const client = await loopback.client.connect(listener.local, { options: { SO_SNDBUF: 8192 } });
      const data = new Uint8Array(1_000_000);
      const taken = await client.send(data, { withinMs: 10 });
      expect(taken).to.be.greaterThan(0).and.lessThan(data.length);
      // Longer than a delayed ACK (40 ms), which may still make room: for one octet sooner than for a write event.
      const isFull = async () => {
        await client.send(data, { withinMs: 150 }).catch(() => {});
        await client.send('x', { flags: ['DONTWAIT'] }).catch(() => {});
        return loopback.calls.slice(-2).every(({ result }) => result.kind !== 'ok');
      };
      await loopback.until(isFull);
      expect(loopback.calls.slice(-2).map(({ result }) => result)).to.deep.equal([
        { kind: 'timeout', withinMs: 150 },
        { kind: 'error', errno: 'EAGAIN' },
      ]);
      const { sendOctets, unsentOctets } = await client.queues();
      expect(unsentOctets).to.be.greaterThan(0).and.at.most(sendOctets);
    });

    it('counts what waits in the receive queue', async () => {
      const { client, server } = await loopback.pair();
      await client.send('abcde');
      expect(await server.queues()).to.deep.equal({ recvOctets: 5, sendOctets: 0, unsentOctets: 0 });
    });

    it('shows urgent data, the other side’s FIN, and the end of both directions as poll events', async () => {
      const { client, server } = await loopback.pair();
      const quiet = {
        readable: false,
        writable: true,
        urgent: false,
        peerClosed: false,
        hungUp: false,
        error: false,
      };
      expect(await server.poll()).to.deep.equal(quiet);
      await client.send('!', { flags: ['OOB'] });
      expect(await server.poll()).to.deep.equal({ ...quiet, urgent: true });
      await client.shutdown('write');
      expect(await server.poll()).to.include({ readable: true, peerClosed: true, hungUp: false });
      await server.shutdown('write');
      expect(await server.poll()).to.include({ peerClosed: true, hungUp: true });
    });

    it('takes the pending error once', async () => {
      const { client, server } = await loopback.pair();
      await server.abort();
      expect(await client.poll()).to.include({ error: true, hungUp: true });
      expect([await client.error(), await client.error()]).to.deep.equal(['ECONNRESET', undefined]);
    });

    it('sets and reads options by their C names', async () => {
      const { client } = await loopback.pair();
      const values = {
        TCP_NODELAY: 1,
        TCP_KEEPIDLE: 77,
        TCP_USER_TIMEOUT: 1234,
        IP_TTL: 9,
        IP_TOS: 16,
        SO_LINGER: 3,
      };
      for (const [name, value] of Object.entries(values)) {
        await client.setOption(name, value);
        expect(await client.getOption(name), name).to.equal(value);
      }
      await client.setOption('SO_LINGER', -1);
      expect(await client.getOption('SO_LINGER')).to.equal(-1);
      await client.setOption('TCP_CONGESTION', 'reno');
      expect(await client.getTextOption('TCP_CONGESTION')).to.equal('reno');
    });

    if (isKernel)
      it('gives a listener the SYN that a connection came with', async () => {
        const listener = await loopback.server.listen({ options: { TCP_SAVE_SYN: 1 } });
        await loopback.client.connect(listener.local, { fromPort: 0x1234 });
        const syn = await (await listener.accept()).getTextOption('TCP_SAVED_SYN');
        expect(syn.slice(0, 2)).to.equal('45');
        expect(syn.slice(40, 44)).to.equal('1234');
      });

    it('names the nearest options for one that it does not know', async () => {
      const { client } = await loopback.pair();
      const error = await rejection(client.setOption('TCP_NO_DELAY', 1));
      expect(String(error)).to.equal(
        'RangeError: unknown socket option "TCP_NO_DELAY": did you mean TCP_NODELAY?',
      );
    });

    it('logs each call with its socket, its arguments and what came of it', async () => {
      const { client } = await loopback.pair();
      await client.send('abc', { flags: ['MORE'] });
      await client.close();
      const lines = loopback.calls.map(({ side, socket, call, args, result }) => [
        side,
        socket,
        call,
        args,
        result,
      ]);
      const listened = loopback.calls[0]?.args;
      expect(lines[0]?.slice(0, 3)).to.deep.equal(['server', 1, 'listen']);
      expect(listened).to.deep.equal({ ip: '127.0.0.1', port: 0, backlog: 128 });
      expect(lines.slice(-2)).to.deep.equal([
        ['client', 1, 'send', { octets: 3, flags: 'MORE' }, { kind: 'ok', value: 3 }],
        ['client', 1, 'close', {}, { kind: 'ok' }],
      ]);
      for (const call of loopback.calls) expect(call.returnedNs).to.be.at.least(call.atNs);
    });

    it('wakes those who wait for a socket when it is closed', async () => {
      const { client, server } = await loopback.pair();
      const waiting = rejection(server.receive());
      await server.close();
      expect(await waiting)
        .to.be.instanceOf(SocketError)
        .with.property('errno', 'EBADF');
      expect(await rejection(server.state())).to.have.property('errno', 'EBADF');
      expect(await client.receive()).to.deep.equal({ kind: 'end' });
    });

    it('lets two wait for the same socket, each for its own event', async () => {
      const { client, server } = await loopback.pair();
      const data = server.receive();
      const urgent = server.receive({ flags: ['OOB'] });
      await client.send('a');
      expect(await data).to.have.property('kind', 'data');
      await client.send('!', { flags: ['OOB'] });
      expect(await urgent).to.have.property('kind', 'data');
    });

    it('waits out a linger time without holding up the others', async () => {
      const listener = await loopback.server.listen({ options: { SO_RCVBUF: 4096 } });
      const client = await loopback.client.connect(listener.local);
      await listener.accept();
      await client.send(new Uint8Array(16_000_000), { withinMs: 10 });
      await client.setOption('SO_LINGER', 1);
      const other = await loopback.pair();
      const closed = client.close();
      await other.client.send('x');
      expect(await other.server.receive()).to.have.property('kind', 'data');
      await closed;
      const close = loopback.calls.findLast(({ call }) => call === 'close');
      expect(Number(close?.returnedNs) - Number(close?.atNs)).to.be.greaterThan(0.9e9);
    });

    if (isKernel)
      it('says that it cannot see its sockets without eyes', async () => {
        expect(await rejection(loopback.client.sockets())).to.be.instanceOf(Unsupported);
      });
  });
}
