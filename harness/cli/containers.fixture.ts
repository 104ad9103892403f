/** For tests with programs of other people in containers: nginx, and a container beside it from which curl asks. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine, type EngineNetwork, imageName, type RunningContainer } from '../docker/index.js';
import { attachCapability, countRules } from '../lab/index.js';
import { NetworkNamespace } from '../sys/index.js';
import { messageOf } from '../text/index.js';

/** Of nginx in our image. */
export const HTTP_PORT = 8080;
const NEEDED = ['tools', 'endpoint'] as const;

/** In a `before` hook: skips, and says why, where there is no engine of this machine, no image, or no right to attach. */
export async function needsContainers(context: Mocha.Context): Promise<Engine> {
  const skip = (reason: string): never => {
    process.stderr.write(`skipped: ${reason}\n`);
    return context.skip();
  };
  const { works, sentence } = attachCapability();
  if (!works) return skip(sentence);
  let engine: Engine;
  try {
    engine = await Engine.connect();
  } catch (error) {
    return skip(messageOf(error));
  }
  for (const kind of NEEDED) {
    if (engine.isLocal && (await engine.hasImage(imageName(kind)))) continue;
    await engine[Symbol.asyncDispose]();
    return skip(
      engine.isLocal
        ? `the image ${imageName(kind)} is missing ("lastack images build" builds it)`
        : 'the Docker engine is of another machine',
    );
  }
  return engine;
}

/** nginx and a client, on a network of their own. */
export class WebContainers implements AsyncDisposable {
  private constructor(
    private readonly engine: Engine,
    readonly network: EngineNetwork,
    readonly web: RunningContainer,
    readonly asking: RunningContainer,
  ) {}

  static async start(engine: Engine): Promise<WebContainers> {
    const network = await engine.createNetwork({ ipVersion: 'both', purpose: 'web of the tests' });
    const common = { image: imageName('tools'), network: { of: network } } as const;
    const [web, asking] = await Promise.all([
      engine.start({ ...common, purpose: 'web' }),
      engine.start({ ...common, purpose: 'asking', command: ['sleep', '600'] }),
    ]);
    const containers = new WebContainers(engine, network, web, asking);
    // A health check would go on, and its connections be seen with the others.
    await containers.curl('--retry', '20', '--retry-connrefused', '--retry-delay', '1');
    return containers;
  }

  /** What the answer was. */
  async curl(...args: readonly string[]): Promise<string> {
    const url = `http://${this.web.ip(4)}:${HTTP_PORT}/`;
    const { exitCode, stdout, stderr } = await this.engine.execute(this.asking.id, [
      'curl',
      '-sS',
      '--max-time',
      '20',
      ...args,
      url,
    ]);
    if (exitCode !== 0) throw new Error(`curl ended with ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** The containers on their network, by name. */
  async names(): Promise<readonly string[]> {
    const filters = { network: [this.network.id] };
    const found = await this.engine.docker.listContainers({ all: true, filters });
    return found.flatMap(({ Names }) => Names.map((name) => name.slice(1))).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.web, this.asking].map((each) => each[Symbol.asyncDispose]()));
    await this.network[Symbol.asyncDispose]();
  }
}

/** Our rules in the network namespace of a process. */
export function rulesOfPid(pid: number): number {
  using namespace = NetworkNamespace.ofPid(pid);
  return countRules(namespace);
}

/** What a process of lastack has in the engine: containers and networks. */
export async function madeBy({ docker }: Engine, pid: number | undefined): Promise<readonly string[]> {
  const filters = { label: ['lastack.owner'] };
  const isIts = ({ Labels }: { readonly Labels?: Record<string, string> | undefined }) =>
    Labels?.['lastack.owner']?.split(':')[3] === String(pid);
  const containers = (await docker.listContainers({ all: true, filters })).filter(isIts);
  const networks = (await docker.listNetworks({ filters })).filter(isIts);
  return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
}

/** A project of docker-compose with nginx as its service `web`. */
export class ComposeProject implements Disposable {
  readonly name = `lastacktest${process.pid}`;
  readonly #folder: string;

  /** A `before` hook's way: skips, and says why, where docker-compose is missing. */
  static needed(context: Mocha.Context, folder: string): ComposeProject {
    if (spawnSync('docker-compose', ['version']).status === 0) return new ComposeProject(folder);
    process.stderr.write('skipped: the program docker-compose is missing\n');
    return context.skip();
  }

  private constructor(folder: string) {
    this.#folder = folder;
    const services = { web: { image: imageName('tools'), healthcheck: { disable: true } } };
    writeFileSync(join(folder, 'docker-compose.yml'), JSON.stringify({ version: '2.4', services }));
    this.#compose('up', '-d');
  }

  #compose(...args: readonly string[]): void {
    const { status, stderr, error } = spawnSync('docker-compose', ['-p', this.name, ...args], {
      cwd: this.#folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`docker-compose ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  }

  [Symbol.dispose](): void {
    this.#compose('down', '-t', '1');
  }
}
