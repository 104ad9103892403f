/** Another host with a Docker engine, as far as a network can tell: an engine in a network namespace of its own, with a route to it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Engine, imageName } from '../docker/index.js';
import { Belongings } from '../lab/index.js';

/** On either host, a network that both engines have. */
const NETWORK = 'lastack-test-apart';
const SUBNETS = { here: '10.251.1.0/24', there: '10.251.2.0/24', all: '10.251.0.0/16' } as const;
const ADDRESSES = { here: '10.251.255.1', there: '10.251.255.2' } as const;
const NAMESPACE = 'lastack-apart';
const LINKS = { here: 'lsapart0', there: 'lsapart1' } as const;
const STARTS_WITHIN_MS = 30_000;

const run = (program: string, ...args: readonly string[]): void =>
  void execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });

export class SecondHost implements AsyncDisposable {
  readonly network = NETWORK;
  readonly #made: Belongings;

  private constructor(
    /** As DOCKER_HOST has it. */
    readonly host: string,
    made: Belongings,
  ) {
    this.#made = made;
  }

  /** `here` has the endpoint's image, and the other is given it. Rejects with nothing left behind. */
  static async start(here: Engine): Promise<SecondHost> {
    await using made = new Belongings();
    const folder = mkdtempSync('/var/tmp/lastack-apart-');
    made.use(undoing(() => removeFolder(folder)));
    layRoute(made);
    const host = `unix://${folder}/socket`;
    const there = await startEngine(folder, host, made);
    const image = await here.docker.getImage(imageName('endpoint')).get();
    const loading = await there.docker.loadImage(image);
    loading.resume();
    await once(loading, 'end');
    for (const [engine, Subnet] of [
      [here, SUBNETS.here],
      [there, SUBNETS.there],
    ] as const) {
      const network = await engine.docker.createNetwork({ Name: NETWORK, IPAM: { Config: [{ Subnet }] } });
      made.use(undoing(() => network.remove()));
    }
    letThrough(made);
    run('ip', 'route', 'add', SUBNETS.there, 'via', ADDRESSES.there);
    return new SecondHost(host, made.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#made[Symbol.asyncDispose]();
  }
}

const undoing = (step: () => unknown): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => void (await step()),
});

/** The link goes with the namespace, and the route with the link. */
function layRoute(made: Belongings): void {
  run('ip', 'netns', 'add', NAMESPACE);
  made.use(undoing(() => run('ip', 'netns', 'del', NAMESPACE)));
  run('ip', 'link', 'add', LINKS.here, 'type', 'veth', 'peer', 'name', LINKS.there, 'netns', NAMESPACE);
  run('ip', 'addr', 'add', `${ADDRESSES.here}/30`, 'dev', LINKS.here);
  run('ip', 'link', 'set', LINKS.here, 'up');
  const there = ['-n', NAMESPACE] as const;
  run('ip', ...there, 'addr', 'add', `${ADDRESSES.there}/30`, 'dev', LINKS.there);
  for (const link of [LINKS.there, 'lo']) run('ip', ...there, 'link', 'set', link, 'up');
  run('ip', ...there, 'route', 'add', 'default', 'via', ADDRESSES.here);
}

/** After the networks were made, for each puts its own rules first: it forwards nothing to others, and translates what leaves it. */
function letThrough(made: Belongings): void {
  const between = ['-s', SUBNETS.all, '-d', SUBNETS.all, '-j', 'ACCEPT'] as const;
  for (const chain of [['FORWARD'], ['POSTROUTING', '-t', 'nat']] as const) {
    run('iptables', '-w', '-I', ...chain, ...between);
    made.use(undoing(() => run('iptables', '-w', '-D', ...chain, ...between)));
  }
}

/** Not by "ip netns exec", which hides the control groups from it. */
async function startEngine(folder: string, host: string, made: Belongings): Promise<Engine> {
  const daemon = spawn(
    'nsenter',
    [
      `--net=/run/netns/${NAMESPACE}`,
      'dockerd',
      ...['--host', host, '--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`],
      ...['--pidfile', `${folder}/pid`, '--storage-driver', 'vfs', '--iptables=false'],
    ],
    { stdio: 'ignore' },
  );
  const exit = once(daemon, 'exit');
  made.use(
    undoing(async () => {
      daemon.kill('SIGTERM');
      await exit;
    }),
  );
  const deadlineMs = performance.now() + STARTS_WITHIN_MS;
  for (;;) {
    try {
      return made.use(await Engine.connect({ host }));
    } catch (error) {
      if (performance.now() > deadlineMs || daemon.exitCode !== null) throw error;
      await setTimeout(100);
    }
  }
}

function removeFolder(folder: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const places = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(folder));
  for (const place of places) run('umount', '-l', place);
  rmSync(folder, { recursive: true, force: true });
}
