import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { needsTestEngine, type TestEngine } from './engine.fixture.js';
import { EngineError } from './engine-error.js';

describe('a network of ours', function () {
  this.timeout(60_000);
  let test: TestEngine;
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(() => test?.[Symbol.asyncDispose]());

  it('has subnets of its own, and addresses that were asked for', async () => {
    await using network = await test.engine.createNetwork({ ipVersion: 'both', mtu: 1400, purpose: 'net' });
    const { Options, EnableIPv6, IPAM } = await test.engine.docker.getNetwork(network.id).inspect();
    expect(EnableIPv6).to.equal(true);
    expect(Options?.['com.docker.network.driver.mtu']).to.equal('1400');
    expect(IPAM?.Config?.map(({ Subnet }) => Subnet)).to.deep.equal(network.subnets);
    const ip = network.subnets[0]?.replace('0/24', '77') ?? '';
    await using container = await test.engine.start({
      image: test.image,
      purpose: 'listener',
      command: ['show', '/sys/class/net/eth0/mtu'],
      network: { of: network, ip, aliases: ['listener'] },
    });
    await container.ended;
    expect(await container.logs()).to.equal('1400');
  });

  it('may have a container that is in others besides, with an address in each', async () => {
    await using first = await test.engine.createNetwork({ ipVersion: 4, purpose: 'first' });
    await using second = await test.engine.createNetwork({ ipVersion: 4, mtu: 9000, purpose: 'second' });
    await using container = await test.engine.start({
      image: test.image,
      purpose: 'both',
      command: ['sleep', '60'],
      network: { of: first, also: [second] },
    });
    for (const network of [first, second]) {
      const [prefix = ''] = network.subnets.map((subnet) => subnet.replace('0/24', ''));
      expect(container.ip(4, network).startsWith(prefix)).to.equal(true);
    }
    expect(container.ip(4)).to.equal(container.ip(4, first));
    expect(() => container.ip(4, { name: 'elsewhere' })).to.throw(EngineError, /on the network elsewhere/);
  });

  it('brings segments from this machine to a container, where the engine is here', async function () {
    if (!test.engine.isLocal) {
      process.stderr.write('skipped: the engine is on another machine\n');
      this.skip();
    }
    await using network = await test.engine.createNetwork({ ipVersion: 4, purpose: 'net' });
    await using container = await test.engine.start({
      image: test.image,
      purpose: 'listener',
      command: ['listen', '80'],
      network: { of: network },
    });
    while (!(await container.logs()).includes('listens'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const socket = connect({ host: container.ip(4), port: 80 });
    await once(socket, 'connect');
    socket.end('hello');
    expect(String((await once(socket, 'data'))[0])).to.equal('hello');
    socket.destroy();
    expect(container.pid).to.be.above(1);
    expect(() => container.ip(6)).to.throw(EngineError, /has no IPv6 address on the network .*ipVersion 6/);
  });

  it('is one of many at once, none with the subnet of another', async () => {
    const networks = await Promise.all(
      Array.from({ length: 6 }, () => test.engine.createNetwork({ ipVersion: 4, purpose: 'many' })),
    );
    expect(new Set(networks.flatMap(({ subnets }) => subnets)).size).to.equal(networks.length);
    await Promise.all(networks.map((each) => each[Symbol.asyncDispose]()));
  });

  it('is not removed while a container is in it, and says so', async () => {
    const network = await test.engine.createNetwork({ ipVersion: 4, purpose: 'busy' });
    await using container = await test.engine.start({
      image: test.image,
      purpose: 'busy',
      command: ['sleep', '60'],
      network: { of: network },
    });
    const failed = await network[Symbol.asyncDispose]().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed)
      .to.be.instanceOf(EngineError)
      .with.property('message')
      .that.matches(/still in it/);
    await container[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
  });
});
