/** What an engine lacks or refuses, and what goes wrong in the midst of a play: one sentence each, and a play that ends soon. */
import { expect } from 'chai';
import { type Engine, imageName, type RunningContainer } from '../docker/index.js';
import { Living, needsEngine } from './docker-life.fixture.js';
import { type Answered, type Asked, gatedEngine, refused } from './gated-engine.fixture.js';
import {
  type Ended,
  isOneSentence,
  lastack,
  needsOrdinaryUser,
  needsRoot,
  ORDINARY,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const REPRO = ['repro', 'lost-final-ack', '--lab', 'docker', '--out', 'out'] as const;
const ENDS_WITHIN_MS = 30_000;

const isMaking = ({ method, path }: Asked, what: string): boolean =>
  method === 'POST' && path.startsWith(`/${what}/create`);

/** What an engine answers, to which command, and what the sentence must say. */
const REFUSALS: readonly (readonly [
  what: string,
  args: readonly string[],
  answer: (asked: Asked) => Answered | undefined,
  named: RegExp,
])[] = [
  [
    'an image of ours that is missing',
    ['--wire', 'sidecar'],
    ({ path }) =>
      path.startsWith('/images/lastack') && path.includes('wire') ? refused(404, 'No such image') : undefined,
    /has no image lastack\/wire:\S+ "lastack images build" makes it/,
  ],
  [
    'a capability that a plugin of the engine denies',
    ['--wire', 'sidecar'],
    (asked) =>
      isMaking(asked, 'containers') && asked.body.includes('"CapAdd":["')
        ? refused(403, 'authorization denied by plugin no-caps: CapAdd is not permitted')
        : undefined,
    /could not make container lastack-\S+-wire: it refuses a capability of NET_ADMIN, NET_RAW.*no-caps.*do without/,
  ],
  [
    'a call that a plugin of the engine denies',
    [],
    (asked) =>
      isMaking(asked, 'networks')
        ? refused(403, 'authorization denied by plugin no-networks: ask Ann')
        : undefined,
    /does not allow to make the network lastack-\S+: .*no-networks.*ask who runs it/,
  ],
  [
    'subnets that all overlap',
    [],
    (asked) =>
      isMaking(asked, 'networks')
        ? refused(403, 'Pool overlaps with other one on this address space')
        : undefined,
    /found no free subnet to make the network lastack-\S+.*docker network ls/,
  ],
  [
    'no subnet that is left',
    [],
    ({ method, path }) =>
      method === 'GET' && path.startsWith('/networks')
        ? { status: 200, body: [{ Name: 'all', Id: 'a', IPAM: { Config: [{ Subnet: '10.192.0.0/10' }] } }] }
        : undefined,
    /no free subnet in 10\.192\.0\.0\/10.*docker network ls/,
  ],
  [
    'IPv6 that is off in the kernel of the engine',
    ['--ip', '6'],
    (asked) =>
      isMaking(asked, 'networks') && asked.body.includes('"EnableIPv6":true')
        ? refused(
            500,
            'cannot read IPv6 setup for bridge br-1: open /proc/sys/net/ipv6/conf/br-1/disable_ipv6: no such file or directory',
          )
        : undefined,
    /could not make the network lastack-\S+: its kernel, or its settings, have IPv6 off.*turn it on.*--ip 4/,
  ],
  [
    'a setting that its kernel does not have',
    [],
    ({ method, path }) =>
      method === 'POST' && /^\/containers\/\w+\/start/.test(path)
        ? refused(
            500,
            'OCI runtime create failed: open /proc/sys/net/ipv4/tcp_orphan_retries: no such file or directory: unknown',
          )
        : undefined,
    /could not start container lastack-\S+: it, or its kernel, refuses the setting net\.ipv4\.tcp_orphan_retries.*leave it out/,
  ],
];

describe('the command with a Docker engine', function () {
  this.timeout(120_000);
  let engine: Engine;
  let folder: TemporaryFolder;
  before(async function () {
    engine = await needsEngine(this, ['endpoint', 'wire', 'tools']);
  });
  after(() => engine?.[Symbol.asyncDispose]());
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  const repro = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    lastack([...REPRO, ...args], { folder: folder.path, env });

  function expectSentence(
    { code, stderr, stdout }: Ended,
    named: RegExp,
    codes: readonly number[] = [3],
  ): void {
    expect(stderr, stdout).to.match(named);
    expect(stderr).to.satisfy(isOneSentence);
    expect(codes).to.include(code);
  }

  for (const [what, host, named] of [
    [
      'that has no socket',
      'unix:///nowhere',
      /no socket of the Docker engine at unix:\/\/\/nowhere: start it/,
    ],
    [
      'that nobody answers for',
      'tcp://127.0.0.1:1',
      /nobody answers for the Docker engine at tcp.*: start it/,
    ],
    ['whose host has no address', 'tcp://nowhere.invalid:2376', /has no address: check the name/],
  ] as const)
    it(`says so of one ${what}`, async () => {
      expectSentence(await repro([], { DOCKER_HOST: host }), named);
      const run = ['run', 'handshake', '--lab', 'docker', '--out', 'out'];
      expectSentence(await lastack(run, { folder: folder.path, env: { DOCKER_HOST: host } }), named);
    });

  it('says so of one that an ordinary user may not use', async function () {
    needsOrdinaryUser.call(this);
    const run = await lastack(REPRO, { folder: folder.path, uid: ORDINARY });
    expectSentence(run, /you may not use the Docker engine at unix:.*run lastack as root, or join the group/);
  });

  it('says so of an image that it does not have', async () => {
    const run = await repro(['--endpoint', 'image:no/such:1']);
    expectSentence(run, /has no image no\/such:1: "docker pull no\/such:1" brings it/);
  });

  for (const [what, args, answer, named] of REFUSALS)
    it(`says so of ${what}, and leaves nothing`, async () => {
      await using gate = await gatedEngine(folder.path, answer);
      // The setting of a side is that of a scenario that has one.
      const scenario = named.source.includes('tcp_') ? 'close/lost-first-fin-every' : 'lost-final-ack';
      const env = { DOCKER_HOST: gate.host };
      const living = new Living(engine, ['repro', scenario, '--lab', 'docker', '--out', 'out', ...args], {
        folder: folder.path,
        env,
      });
      expectSentence(await living.ended, named);
      const { containers, networks } = await living.footprint();
      expect([...containers, ...networks]).to.deep.equal([]);
    });

  for (const [wire, victim] of [
    ['here', 'server'],
    ['here', 'client'],
    ['sidecar', 'server'],
    ['sidecar', 'client'],
    ['sidecar', 'wire'],
  ] as const)
    it(`ends a play soon, and says why, whose ${victim} is killed: wire ${wire}`, async function () {
      if (wire === 'here') needsRoot.call(this);
      // Data that never comes keeps it waiting.
      const args = ['repro', 'data/exchange', '--fault', 'hold data', '--lab', 'docker', '--wire', wire];
      const living = new Living(engine, [...args, '--out', 'out'], { folder: folder.path });
      for (const purpose of wire === 'here' ? ['client', 'server'] : ['client', 'server', 'wire'])
        await living.container(purpose);
      const id = await living.container(victim);
      const killedMs = performance.now();
      await engine.docker.getContainer(id).kill();
      const { code, stdout, stderr } = await living.ended;
      expect(`${stdout}${stderr}`).to.match(
        new RegExp(`container lastack-\\S+-${victim} has ended: killed \\(137\\), by somebody`),
      );
      if (stderr !== '') expect(stderr).to.satisfy(isOneSentence);
      expect(code).to.be.oneOf([1, 3]);
      if (code === 1) expect(stdout).to.match(/^verdict: error/m);
      expect(performance.now() - killedMs).to.be.below(ENDS_WITHIN_MS);
    });

  it('says so of a container that has nobody at the port', async function () {
    needsRoot.call(this);
    await using network = await engine.createNetwork({ ipVersion: 4, purpose: 'refusals' });
    await using web: RunningContainer = await engine.start({
      image: imageName('tools'),
      purpose: 'web',
      network: { of: network },
    });
    const run = ['attach', web.name, '--port', '9', '--for', '1s'];
    const { code, stdout, stderr } = await lastack(run, { folder: folder.path });
    expect(`${stdout}${stderr}`).to.match(/nothing listens at port 9\b.*remark: port 8080 listens there/s);
    expect(code).to.equal(0);
  });
});
