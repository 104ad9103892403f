import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Connection, Endpoint } from '../endpoint/index.js';
import { BoxPlace, STACK } from './own-box.fixture.js';

const DATA = Buffer.alloc(300_000, 'the quick brown fox ');

async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no rejection',
    (error: unknown) => String(error),
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Data both ways, the second against a direction that is shut, and a close. */
async function converse(client: Endpoint, server: Endpoint): Promise<void> {
  const listener = await server.listen({ port: 7000 });
  const near = await client.connect(listener.local);
  const far = await listener.accept();
  const carried = async (from: Connection, to: Connection): Promise<void> => {
    const [, { data }] = await Promise.all([from.send(DATA), to.receiveAll({ octets: DATA.length })]);
    expect(Buffer.from(data).equals(DATA)).to.equal(true);
  };
  await carried(near, far);
  await near.shutdown('write');
  expect(await far.receive()).to.deep.equal({ kind: 'end' });
  await carried(far, near);
  await far.close();
  expect(await near.receive()).to.deep.equal({ kind: 'end' });
  await near.close();
}

describe('our own TCP beside a host', () => {
  let place: BoxPlace;
  before(function () {
    if (spawnSync('ip', ['-V']).error === undefined) return;
    process.stderr.write('skipped: the command "ip" is not here ("apt-get install iproute2")\n');
    this.skip();
  });
  beforeEach(() => {
    place = new BoxPlace();
  });
  afterEach(() => place[Symbol.dispose]());

  const pathOf = (port: number): readonly string[] =>
    place.transitions.filter(({ local }) => local.port === port).map(({ to }) => to);

  for (const version of [4, 6] as const) {
    it(`serves a kernel that is on its network, over IPv${version}, and tells its states`, async () => {
      const stack = await place.startStack();
      await converse(place.kernelEndpoint('client', version), place.stackEndpoint(stack, 'server', version));
      await until(() => pathOf(7000).includes('LAST-ACK') && pathOf(7000).includes('CLOSED'));
      expect(pathOf(7000)).to.deep.equal([
        'LISTEN',
        'SYN-RECEIVED',
        'ESTABLISHED',
        'CLOSE-WAIT',
        'LAST-ACK',
        'CLOSED',
      ]);
    });

    it(`reaches a kernel that is on its network, over IPv${version}`, async () => {
      const stack = await place.startStack();
      await converse(place.stackEndpoint(stack, 'client', version), place.kernelEndpoint('server', version));
      await until(() => place.transitions.some(({ to }) => to === 'TIME-WAIT'));
      expect(place.transitions.map(({ to }) => to)).to.deep.equal([
        'SYN-SENT',
        'ESTABLISHED',
        'FIN-WAIT-1',
        'FIN-WAIT-2',
        'TIME-WAIT',
      ]);
    });
  }

  it('has its segments pass the hook of forwarded ones, in both directions', async function () {
    if (spawnSync('iptables', ['-V']).error !== undefined) {
      process.stderr.write('skipped: the command "iptables" is not here ("apt-get install iptables")\n');
      this.skip();
    }
    const stack = await place.startStack();
    for (const match of [
      ['-p', 'tcp', '-s', STACK[4]],
      ['-p', 'tcp', '-d', STACK[4]],
    ])
      place.run(place.box, 'iptables', '-t', 'mangle', '-A', 'FORWARD', ...match);
    await converse(place.kernelEndpoint('client', 4), place.stackEndpoint(stack, 'server', 4));
    const counts = place
      .run(place.box, 'iptables', '-t', 'mangle', '-nvxL', 'FORWARD')
      .split('\n')
      .slice(2, 4)
      .map((line) => Number(line.trim().split(/\s+/)[0]));
    for (const count of counts) expect(count).to.be.greaterThan(50);
  });

  it('keeps the settings that it is given', async () => {
    const stack = await place.startStack('--set', 'ipv4.tcp_timestamps=0', '--set', 'net.ipv4.tcp_sack=0');
    const listener = await place.kernelEndpoint('server', 4).listen();
    const connection = await place.stackEndpoint(stack, 'client', 4).connect(listener.local);
    expect((await connection.info()).options).to.include({ timestamps: false, sack: false });
  });

  it('goes with its input, and resets what is open; nothing of it is left', async () => {
    const before =
      place.ip(place.box, 'link') + place.ip(place.box, 'neigh show proxy') + place.ip(place.box, 'route');
    const stack = await place.startStack();
    const listener = await place.stackEndpoint(stack, 'server', 4).listen();
    const connection = await place.kernelEndpoint('client', 4).connect(listener.local);
    await listener.accept();
    stack.close();
    expect(await rejection(connection.receive())).to.include('ECONNRESET');
    const now = () =>
      place.ip(place.box, 'link') + place.ip(place.box, 'neigh show proxy') + place.ip(place.box, 'route');
    await until(() => now() === before);
  });

  it('says which address it cannot have', async () => {
    expect(await rejection(place.start('--ip', '203.0.113.9').hello())).to.match(
      /ended with code 3 and said "lastack: 203\.0\.113\.9 is no free address of a network that is on a link here/,
    );
    expect(await rejection(place.start('--ip', '198.18.77.2').hello())).to.include(
      '198.18.77.2 is no free address',
    );
    expect(await rejection(place.start('--ip', 'somewhere').hello())).to.include('ended with code 2');
  });

  it('has one place in a network namespace', async () => {
    await place.startStack();
    expect(await rejection(place.start('--ip', '198.18.77.201').hello())).to.include(
      'the link to-stack is here already',
    );
  });
});
