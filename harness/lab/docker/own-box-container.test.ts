import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { RealClock } from '../../clock/index.js';
import {
  Engine,
  type EngineNetwork,
  ensureImage,
  IMAGE_KINDS,
  imageName,
  type RunningContainer,
  removeImages,
} from '../../docker/index.js';
import { AgentClient, AgentEndpoint, type AgentTransition, type Endpoint } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import { monotonicNs } from '../../sys/index.js';
import { messageOf } from '../../text/index.js';
import { containerChannel } from './container-channel.js';
import { ownBoxContainer } from './own-box-container.js';
import { spareAddresses } from './spare-addresses.js';

const DATA = Buffer.alloc(500_000, 'the quick brown fox ');
/** On a machine where others work as well. */
const IMAGES_WITHIN_MS = 300_000;

interface Driven {
  readonly container: RunningContainer;
  readonly client: AgentClient;
}

/** One container with the C agent above the engine's kernel, one with our own TCP beside it. */
describe('our own TCP in a container', function () {
  this.timeout(60_000);
  let engine: Engine;
  let network: EngineNetwork;
  let repository: string;
  let kernel: Driven;
  let stack: Driven;
  let stackIps: Readonly<Record<4 | 6, string>>;
  const clock = new RealClock(monotonicNs());
  const transitions: AgentTransition[] = [];

  before(async function () {
    this.timeout(IMAGES_WITHIN_MS);
    engine = await engineWithBase(this);
    repository = `lastack-test-${engine.runId}`;
    // By the base that is there: to make one takes minutes.
    const [repo = '', tag = ''] = imageName('base', repository).split(':');
    await engine.docker.getImage(imageName('base')).tag({ repo, tag });
    for (const kind of ['endpoint', 'wire', 'stack'] as const)
      await ensureImage(engine.docker, kind, () => {}, { repository });
    network = await engine.createNetwork({ ipVersion: 'both', purpose: 'test of our own TCP' });
    stackIps = {
      4: spareAddresses(network.subnets, 4)[0],
      6: spareAddresses(network.subnets, 6)[0],
    };
    const image = imageName('stack', repository);
    stack = await start(ownBoxContainer({ ips: [stackIps[4], stackIps[6]], image }));
    await stack.client.watchTransitions((transition) => transitions.push(transition));
    kernel = await start({ image: imageName('endpoint', repository) });
  });

  after(async () => {
    if (engine === undefined) return;
    for (const { client, container } of [kernel, stack].filter((each) => each !== undefined)) {
      client.close();
      await container[Symbol.asyncDispose]();
    }
    await network?.[Symbol.asyncDispose]();
    await removeImages(engine.docker, IMAGE_KINDS, repository);
    await engine[Symbol.asyncDispose]();
  });

  async function start(spec: { readonly image: string }): Promise<Driven> {
    const purpose = 'test of our own TCP';
    const container = await engine.start({ purpose, network: { of: network }, stdio: true, ...spec });
    const client = new AgentClient(containerChannel(container));
    await client.hello();
    return { container, client };
  }

  const endpoint = ({ client }: Driven, side: Side, ip: string): Endpoint =>
    new AgentEndpoint({ client, side, ip, clock, log: () => {}, stack: 'any@1' });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await sleep(5);
  }

  /** Data both ways, the second against a direction that is shut, and a close. */
  async function converse(client: Endpoint, server: Endpoint): Promise<number> {
    const listener = await server.listen();
    const near = await client.connect(listener.local);
    const far = await listener.accept();
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const [, { data }] = await Promise.all([from.send(DATA), to.receiveAll({ octets: DATA.length })]);
      expect(Buffer.from(data).equals(DATA)).to.equal(true);
      await from.shutdown('write');
      expect(await to.receive()).to.deep.equal({ kind: 'end' });
    }
    await near.close();
    await far.close();
    await listener.close();
    return client.ip === stackIps[4] || client.ip === stackIps[6] ? near.local.port : listener.local.port;
  }

  /** Of the connection with this port of the stack's. */
  const pathOf = (port: number): readonly string[] =>
    transitions.filter(({ local, remote }) => local.port === port && remote.port !== 0).map(({ to }) => to);

  for (const version of [4, 6] as const) {
    it(`serves the kernel of another container, over IPv${version}`, async () => {
      const port = await converse(
        endpoint(kernel, 'client', kernel.container.ip(version)),
        endpoint(stack, 'server', stackIps[version]),
      );
      await until(() => transitions.some(({ local, from }) => local.port === port && from === 'LAST-ACK'));
      expect(pathOf(port)).to.deep.equal(['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
    });

    it(`reaches the kernel of another container, over IPv${version}`, async () => {
      const port = await converse(
        endpoint(stack, 'client', stackIps[version]),
        endpoint(kernel, 'server', kernel.container.ip(version)),
      );
      await until(() => transitions.some(({ local, to }) => local.port === port && to === 'TIME-WAIT'));
      expect(pathOf(port)).to.deep.equal([
        'SYN-SENT',
        'ESTABLISHED',
        'FIN-WAIT-1',
        'FIN-WAIT-2',
        'TIME-WAIT',
      ]);
    });
  }

  it('goes with its input', async () => {
    const { client, container } = await start(
      ownBoxContainer({
        ips: [spareAddresses(network.subnets, 4)[1]],
        image: imageName('stack', repository),
      }),
    );
    client.close();
    expect((await container.ended).exitCode).to.equal(0);
  });
});

/** Skips, and says why, where there is no engine, or no base to build on. */
async function engineWithBase(context: Mocha.Context): Promise<Engine> {
  const skip = (why: string): never => {
    process.stderr.write(`skipped: ${why}\n`);
    return context.skip();
  };
  const engine = await Engine.connect().catch((error: unknown) => skip(messageOf(error)));
  const base = imageName('base');
  if (await engine.hasImage(base)) return engine;
  await engine[Symbol.asyncDispose]();
  return skip(`the engine has no image ${base} ("lastack images build base")`);
}
