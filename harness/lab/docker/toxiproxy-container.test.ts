import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { EngineError, type EngineNetwork, imageName } from '../../docker/index.js';
import { TOXIPROXY_VERSION, type Toxiproxy } from '../../toxiproxy/index.js';
import { closeSharedEngine, sharedEngine } from './shared-engine.js';
import { ToxiproxyContainer } from './toxiproxy-container.js';

const PORT = 7000;
/** Nobody listens there: what the proxy makes of it is enough. */
const UPSTREAM = '127.0.0.1:9';

const ended = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.resume();
  });

describe('Toxiproxy in a container', function () {
  this.timeout(120_000);
  let network: EngineNetwork;
  let toxiproxy: ToxiproxyContainer;
  let npm: Toxiproxy;

  before(async function () {
    try {
      await (await sharedEngine()).needImage(imageName('toxiproxy'));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
      this.skip();
    }
    const engine = await sharedEngine();
    network = await engine.createNetwork({ ipVersion: 4, purpose: 'toxiproxy' });
    toxiproxy = await ToxiproxyContainer.start({ engine, networks: [network], ports: [PORT] });
    npm = await toxiproxy.nodeClient();
  });
  beforeEach(async () => {
    for (const proxy of Object.values(await npm.getAll())) await proxy.remove();
  });
  after(closeSharedEngine);

  const proxy = { name: 'db', listen: `0.0.0.0:${PORT}`, upstream: UPSTREAM };

  it('answers from the first moment on', async () => {
    expect(await toxiproxy.client.version()).to.equal(TOXIPROXY_VERSION);
  });

  it('listens where its address says, and nowhere when it is down', async () => {
    const db = await toxiproxy.client.addProxy(proxy);
    const { ip, port } = toxiproxy.address(PORT);
    expect(await ended(connect(port, ip))).to.equal('end');
    await db.disable();
    expect(await ended(connect(port, ip))).to.equal('ECONNREFUSED');
  });

  it('has for the npm package what our client made', async () => {
    const made = await toxiproxy.client.addProxy(proxy);
    const name = await made.add('latency upstream 100ms jitter 10ms toxicity 50%');
    const seen = await npm.get('db');
    expect(seen.toJson()).to.deep.include({ name: 'db', upstream: UPSTREAM, enabled: true });
    const { type, stream, toxicity, attributes } = (await seen.getToxic(name)).toJson();
    expect({ type, stream, toxicity, attributes }).to.deep.equal({
      type: 'latency',
      stream: 'upstream',
      toxicity: 0.5,
      attributes: { latency: 100, jitter: 10 },
    });
    await made.disable();
    expect((await npm.get('db')).enabled).to.equal(false);
  });

  it('has for our client what the npm package made', async () => {
    const { db } = await npm.populate([proxy]);
    if (db === undefined) throw new Error('there is no proxy');
    const toxic = await db.addToxic({
      name: 'slow',
      type: 'slow_close',
      stream: 'downstream',
      toxicity: 1,
      attributes: { delay: 500 },
    });
    const ours = await toxiproxy.client.proxy('db');
    expect((await ours.state()).toxics).to.deep.equal([
      { name: 'slow', type: 'slow_close', stream: 'downstream' },
    ]);
    await ours.remove(toxic.name);
    expect(await db.getToxic('slow').catch((error: Error) => error.message)).to.match(/404/);
    await ours.add('limit_data 100');
    await npm.reset();
    expect((await ours.state()).toxics).to.deep.equal([]);
  });

  /** If this fails, the list in docs/toxiproxy.md is out of date. */
  it('shows where the npm package is stale, as docs/toxiproxy.md says', async () => {
    await toxiproxy.client.addProxy(proxy);
    // JSON as text: before 2.5 the version was bare text.
    expect(JSON.parse(await npm.getVersion())).to.deep.equal({ version: TOXIPROXY_VERSION });
    const refused = await npm.createProxy({ ...proxy }).catch((error: Error) => error.message);
    expect(refused).to.equal('Request failed with status code 409');
    const ours = await toxiproxy.client.addProxy(proxy).catch((error: Error) => error.message);
    expect(ours).to.match(/has a proxy "db" already/);
    // Its update is a POST, which the server still takes beside PATCH.
    const db = await npm.get('db');
    expect((await db.update({ enabled: false, listen: proxy.listen, upstream: UPSTREAM })).enabled).to.equal(
      false,
    );
  });

  it('refuses a setting that there is not, in one sentence', async () => {
    const engine = await sharedEngine();
    const starting = ToxiproxyContainer.start({
      engine,
      networks: [network],
      settings: { 'ipv4.no_such': 1 },
    });
    const refusal: unknown = await starting.catch((error: unknown) => error);
    expect(refusal)
      .to.be.instanceOf(EngineError)
      .with.property('message')
      .that.matches(/no_such/);
  });

  it('is gone with its network', async () => {
    const { docker } = await sharedEngine();
    await toxiproxy[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    const names = (await docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
    expect(names).to.not.include(`/${toxiproxy.container.name}`);
    expect((await docker.listNetworks()).map(({ Name }) => Name)).to.not.include(network.name);
  });
});
