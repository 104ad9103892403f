/**
 * The command with containers, killed at any moment: the traffic of others flows at once, and `lastack clean` leaves nothing of it, counted
 * before and after. With LASTACK_KILLS=all every scenario is killed once, and every kind of fault in both places of the wire.
 */
import { expect } from 'chai';
import { allScenarios } from '../../suites/index.js';
import { type Engine, type EngineNetwork, imageName, type RunningContainer } from '../docker/index.js';
import { suiteOf, unplayable } from '../run/index.js';
import { Random } from '../segment/index.js';
import { NetworkNamespace } from '../sys/index.js';
import { isNothing, Living, needsEngine, pause, rulesIn, until } from './docker-life.fixture.js';
import { lastack, needsRoot, type TemporaryFolder, temporaryFolder } from './spawned.fixture.js';

const SEED = Number(process.env.LASTACK_SEED ?? Math.floor(Math.random() * 2 ** 32));
const isAll = process.env.LASTACK_KILLS === 'all';
/** Side by side. */
const AT_ONCE = 2;
/** From when it has a container; a play takes longer as a rule. */
const KILLED_WITHIN_MS = 2000;
const WIRES = ['here', 'sidecar'] as const;
/** One of each kind. */
const FAULTS = [
  'drop data',
  'hold data',
  'delay data by 5s',
  'duplicate data',
  'reorder 1st client.data after 1 others',
  'rewrite window=1000 of data',
  'corrupt checksum of data',
  'truncate data to 1 octets',
  'inject RST from server on 1st client.data after 5s',
  'replay syn on 1st client.data after 5s',
] as const;

interface Life {
  readonly args: readonly string[];
  readonly atMs: number;
  /** The guard is killed first: what it would take away is there for `lastack clean`. */
  readonly isUnguarded: boolean;
}

const text = ({ args, atMs, isUnguarded }: Life): string =>
  `${args.join(' ')}, ${atMs} ms after its first container${isUnguarded ? ', and its guard' : ''}`;

function lives(random: Random): readonly Life[] {
  const playable = allScenarios.filter((scenario) => unplayable(scenario) === undefined);
  const suites = [...new Set(playable.map(suiteOf))];
  const ids = isAll
    ? playable.map(({ id }) => id)
    : suites.flatMap((suite) => {
        const ofIt = playable.filter((each) => suiteOf(each) === suite);
        return ofIt[random.below(ofIt.length)]?.id ?? [];
      });
  const own = ids.map((id) => [id, '--wire', random.pick(WIRES)]);
  const faults = FAULTS.flatMap((fault, i) =>
    (isAll ? WIRES : WIRES.slice(i % 2, (i % 2) + 1)).map((wire) => [
      'data/exchange',
      '--fault',
      fault,
      '--wire',
      wire,
    ]),
  );
  return [...own, ...faults].map((args, i) => ({
    args,
    atMs: random.below(KILLED_WITHIN_MS),
    isUnguarded: i % 2 === 0,
  }));
}

/** One whose command was over in this moment has ended by itself. */
function endGuard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has.
  }
}

describe('the command with containers, killed', function () {
  this.timeout(isAll ? 3_600_000 : 600_000);
  let engine: Engine;
  let network: EngineNetwork;
  /** Two that are nobody's but the test's: one asks the other. */
  let web: RunningContainer;
  let asker: RunningContainer;
  let folder: TemporaryFolder;
  before(async function () {
    needsRoot.call(this);
    engine = await needsEngine(this, ['endpoint', 'wire', 'tools']);
    folder = temporaryFolder();
    network = await engine.createNetwork({ ipVersion: 4, purpose: 'bystanders' });
    const spec = { image: imageName('tools'), network: { of: network } } as const;
    web = await engine.start({ ...spec, purpose: 'web' });
    asker = await engine.start({ ...spec, purpose: 'asker' });
    await until(async () => (await ask()) === 0, 'an answer of nginx');
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    folder?.remove();
  });

  const begin = (args: readonly string[], namespace?: NetworkNamespace): Living =>
    new Living(engine, args, { folder: folder.path }, namespace);
  /** curl's exit code: 28 where no answer came. */
  const ask = async (): Promise<number> => {
    const url = `http://${web.ip(4)}:8080/`;
    return (await engine.execute(asker.id, ['curl', '-sS', '--max-time', '3', url])).exitCode;
  };
  const clean = async (): Promise<void> => {
    const { code, stderr } = await lastack(['clean'], { folder: folder.path });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
  };

  /** Until a play has a container, and then as long as its life says. One that is over before is lived again, for a shorter time. */
  async function lived(life: Life): Promise<Living> {
    const living = begin(['repro', ...life.args, '--lab', 'docker', '--out', 'out']);
    await until(async () => living.isOver || (await living.footprint()).containers.length > 0, 'a container');
    await pause(life.atMs);
    const { guards } = await living.footprint();
    if (life.isUnguarded) for (const guard of guards) endGuard(Number(guard));
    living.child.kill('SIGKILL');
    const { code, stdout, stderr } = await living.ended;
    if (code === 0 && life.atMs > 0) return lived({ ...life, atMs: Math.floor(life.atMs / 2) });
    expect(code, `${text(life)}: ${stdout}${stderr}`).to.equal(null);
    return living;
  }

  it(`lets others' traffic flow, and leaves nothing that clean does not take away (seed ${SEED})`, async () => {
    const waiting = [...lives(new Random(SEED))];
    const killed: Living[] = [];
    let unguarded = 0;
    const killOn = async (): Promise<void> => {
      for (let life = waiting.shift(); life !== undefined; life = waiting.shift()) {
        const living = await lived(life);
        expect(await ask(), `nginx after ${text(life)}`).to.equal(0);
        killed.push(living);
        const { containers, networks } = await living.footprint();
        if (life.isUnguarded) unguarded += containers.length + networks.length;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, killOn));
    expect(unguarded, 'containers and networks that no guard took away').to.be.at.least(killed.length / 2);
    await clean();
    for (const living of killed)
      await until(async () => isNothing(await living.footprint()), `the end of what ${living.pid} made`);
    if (isAll) process.stdout.write(`${killed.length} killed, ${unguarded} parts taken away by clean\n`);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    for (const wire of WIRES)
      it(`leaves nothing after ${signal}, without clean, and says so with ${code}: wire ${wire}`, async () => {
        const args = ['run', 'close', 'handshake', '--lab', 'docker', '--wire', wire, '--out', 'out'];
        const living = begin([...args, '--jobs', '3']);
        await living.container(wire === 'sidecar' ? 'wire' : 'server');
        await pause(500);
        const { containers, networks } = await living.footprint();
        expect(containers).to.not.be.empty;
        expect(networks).to.not.be.empty;
        living.child.kill(signal);
        expect((await living.ended).code).to.equal(code);
        await until(async () => isNothing(await living.footprint()), 'the end of all that it made');
        expect(await ask()).to.equal(0);
      });

  it("lets a container's traffic flow that it was attached to, and clean takes its rules away", async () => {
    using namespace = NetworkNamespace.ofPid(web.pid);
    const before = rulesIn(namespace);
    const living = begin(['attach', web.name, '--port', '8080', '--fault', 'drop server.data']);
    await living.says(/attached to container/);
    expect(await ask(), 'curl while data is dropped').to.equal(28);
    living.child.kill('SIGKILL');
    await living.ended;
    expect(await ask(), 'curl after the kill').to.equal(0);
    const left = rulesIn(namespace).filter((rule) => rule.includes(`lastack:${living.pid}-`));
    expect(left).to.not.be.empty;
    await clean();
    expect(rulesIn(namespace)).to.deep.equal(before);
    expect(await ask()).to.equal(0);
  });

  for (const as of ['iptables', 'nft', 'tc'])
    it(`takes away with clean the rules that it had applied in a container: ${as}`, async () => {
      using namespace = NetworkNamespace.ofPid(web.pid);
      const before = rulesIn(namespace);
      const device = as === 'tc' ? ['--interface', 'eth0'] : [];
      const fault = ['--fault', 'drop client.syn', '--port', '8080', '--side', 'server'];
      const living = begin(['rules', ...fault, '--as', as, '--apply', ...device], namespace);
      await living.says(/# applied/);
      expect(await ask(), 'curl while SYNs are dropped').to.equal(28);
      living.child.kill('SIGKILL');
      await living.ended;
      expect(rulesIn(namespace)).to.not.deep.equal(before);
      await clean();
      expect(rulesIn(namespace)).to.deep.equal(before);
      expect(await ask()).to.equal(0);
    });
});
