import { inspect } from 'node:util';
import { expect } from 'chai';
import { driveOwnAgent } from '../agent-server/server.fixture.js';
import type { CallRecord } from '../call-record.js';
import { Unsupported } from '../endpoint.js';
import { type Drive, driveKernel, Loopback, rejection } from '../loopback-fixture.js';
import { driveOwn } from '../own-stack/own-fixture.js';
import { driveAgent, needsAgent } from './agent-fixture.js';

/** Linux gives these to sockets that ask for none. */
const FIRST_EPHEMERAL = 32768;

/** What a program that does a little of everything has recorded, but for stamps, fractions of milliseconds, and ports that the kernel chose. */
async function recordOf(ipVersion: 4 | 6, drive: Drive): Promise<readonly string[]> {
  await using loopback = new Loopback(ipVersion, drive);
  await program(loopback);
  const shown = (fields: object) =>
    Object.entries(fields)
      .map(([name, value]) => `${name} ${withoutPort(value)}`)
      .join(', ');
  return loopback.calls.map(
    ({ side, socket, call, args, result }: CallRecord) =>
      `${side} ${socket}: ${call}(${shown(args)}) = ${shown(result)}`,
  );
}

function withoutPort(value: unknown): string {
  if (typeof value !== 'number') return inspect(value).replace(/port \d+/, 'a port');
  return value >= FIRST_EPHEMERAL && value <= 0xffff ? 'a port' : String(Math.round(value));
}

async function program(loopback: Loopback): Promise<void> {
  const { client, server, listener } = await loopback.pair();
  await talk(client, server);
  await setOptions(client);
  await client.close();
  await server.receive();
  await server.close();
  for (const call of [() => server.close(), () => server.send('x'), () => server.getOption('IP_TTL')])
    await rejection(call());
  await rejection(server.abort());
  await refusals(loopback, listener);
}

type Pair = Awaited<ReturnType<Loopback['pair']>>;

async function talk(client: Pair['client'], server: Pair['server']): Promise<void> {
  await client.send('hello', { flags: ['MORE'] });
  await client.send(' world');
  await server.receiveAll({ octets: 11 });
  await client.send('!', { flags: ['OOB'] });
  await server.receive({ max: 1, flags: ['OOB'] });
  await server.atUrgentMark();
  await rejection(server.receive({ flags: ['OOB', 'DONTWAIT'] }));
  await rejection(server.receive({ flags: ['DONTWAIT'] }));
  await rejection(server.receive({ withinMs: 3 }));
  await rejection(server.receiveAll({ octets: 3, withinMs: 3 }));
  await client.send('');
  await client.send('abc');
  await server.receive({ max: 2, flags: ['PEEK'] });
  await server.queues();
  await server.poll();
  await server.error();
  await server.state();
  await server.info();
  await server.receive();
  await client.shutdown('write');
  await server.receive();
  await server.poll();
  await server.send('and back');
  await client.receive();
}

async function setOptions(client: Pair['client']): Promise<void> {
  const values: Readonly<Record<string, number | string>> = {
    TCP_NODELAY: 1,
    TCP_USER_TIMEOUT: 12_345,
    TCP_NOTSENT_LOWAT: 0xffff_fff0,
    TCP_CONGESTION: 'reno',
    SO_MAX_PACING_RATE: 2 ** 40,
    SO_RCVTIMEO: 2500,
    SO_LINGER: 0,
    SO_RCVBUF: 20_000,
    SO_MARK: 7,
  };
  for (const [name, value] of Object.entries(values)) {
    await orUnsupported(client.setOption(name, value));
    if (typeof value === 'string') await orUnsupported(client.getTextOption(name));
    else await orUnsupported(client.getOption(name));
  }
  await client.setOption('SO_LINGER', -1);
  await client.getOption('SO_LINGER');
  await client.getOption('SO_TYPE');
  await orUnsupported(client.getTextOption('TCP_FASTOPEN_KEY'));
  await rejection(client.setOption('TCP_CONGESTION', 'nobody-knows-it'));
  await rejection(client.setOption('TCP_MAXSEG', 1_000_000));
  await rejection(client.setOption('TCP_NODELAY', 'yes'));
  await rejection(client.setOption('TCP_KEEPIDEL', 1));
  await rejection(client.getOption('TCP_CONGESTION'));
}

/** Not every stack has every option; who says so records nothing. */
const orUnsupported = (asked: Promise<unknown>): Promise<unknown> =>
  asked.catch((error: unknown) => {
    if (!(error instanceof Unsupported)) throw error;
  });

async function refusals(loopback: Loopback, listener: Pair['listener']): Promise<void> {
  await rejection(loopback.client.connect({ ip: loopback.ip, port: 9 }, { fromPort: 4001 }));
  await rejection(loopback.client.connect({ ip: loopback.ip, port: 70_000 }));
  await rejection(loopback.client.open(listener.local, { options: { TCP_SYNCNT: 1000 } }));
  await rejection(loopback.server.listen({ port: listener.local.port }));
  await rejection(loopback.server.listen({ ip: loopback.ip === '::1' ? 'fd00::1' : '192.0.2.1' }));
  await rejection(listener.accept({ withinMs: 3 }));
  const unreachable = loopback.ip === '::1' ? '2001:db8::1' : '192.0.2.1';
  const opened = await loopback.client.open({ ip: unreachable, port: 9 }, { withinMs: 300 });
  await rejection(opened.established);
  const reset = await loopback.pair();
  await reset.server.abort();
  await rejection(reset.client.receive());
  await rejection(reset.client.send('x'));
  const broken = await loopback.pair();
  for (const { wait, close } of [
    { wait: broken.client.receive(), close: () => broken.client.close() },
    { wait: broken.listener.accept(), close: () => broken.listener.close() },
  ]) {
    const waiting = rejection(wait);
    await close();
    await waiting;
  }
  await loopback.pair();
}

describe('the records of calls', () => {
  for (const ipVersion of [4, 6] as const) {
    it(`are the same from an agent as from this kernel’s own system calls, over IPv${ipVersion}`, async function () {
      needsAgent.call(this);
      const own = await recordOf(ipVersion, driveKernel);
      expect(own.length).to.be.greaterThan(80);
      expect(await recordOf(ipVersion, driveAgent)).to.deep.equal(own);
    });

    it(`are the same from our own TCP behind an agent as without one, over IPv${ipVersion}`, async () => {
      const own = await recordOf(ipVersion, driveOwn);
      expect(own.length).to.be.greaterThan(70);
      expect(await recordOf(ipVersion, driveOwnAgent)).to.deep.equal(own);
    });
  }
});
