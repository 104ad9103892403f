/** The server of a compose project: an agent that is told what to do, or a program of the user's, which is looked at and let do. */
import { type ComposeService, type Engine, imageName } from '../../../docker/index.js';
import type { Address, SocketState } from '../../../endpoint/index.js';
import { ApplicationLab } from '../../application/application-lab.js';
import { Dialogue } from '../../application/dialogue.js';
import { listenersAmong, listeningText, NoSuchTarget } from '../../attached/index.js';
import { type ContainerEnd, ContainerStack } from '../container-stack.js';
import type { DockerLab } from '../docker-lab.js';

export interface ComposeServerOptions {
  readonly engine: Engine;
  readonly server: ComposeService;
  readonly ip: string;
  readonly ipVersion: 4 | 6;
  /** Of a program; default: the one that its container exposes. */
  readonly port?: number;
  /** What clients say to a program, once on each connection. */
  readonly request?: Uint8Array | string;
  /** How long it may take until a program listens. */
  readonly withinMs: number;
}

const LOOKS_EVERY_MS = 100;
/** Where agents listen, and proxies look for them: any would do. */
const AGENT_PORT = 7000;

export class ComposeServer implements AsyncDisposable {
  readonly isProgram: boolean;
  readonly address: Address;
  /** The agent, or an eye beside the program. */
  readonly stack: ContainerStack;
  readonly #options: ComposeServerOptions;

  private constructor(
    options: ComposeServerOptions,
    { stack, address }: Pick<ComposeServer, 'stack' | 'address'>,
  ) {
    this.#options = options;
    this.isProgram = !options.server.hasInput;
    this.stack = stack;
    this.address = address;
  }

  /** Resolves when it listens. Rejects with `EngineError` or `NoSuchTarget`. */
  static async open(options: ComposeServerOptions): Promise<ComposeServer> {
    const { engine, server, ip, ipVersion } = options;
    const place = { side: 'server', ipVersion } as const;
    if (server.hasInput) {
      const stack = await ContainerStack.in(await engine.adopt(server.container), place);
      return new ComposeServer(options, { stack, address: { ip, port: AGENT_PORT } });
    }
    const port = options.port ?? exposedPort(server);
    const eye = await ContainerStack.start({
      engine,
      network: { containerOf: server.container.id },
      spec: { image: imageName('endpoint'), purpose: 'eye of the server' },
      ...place,
    });
    const opened = new ComposeServer(options, { stack: eye, address: { ip, port } });
    try {
      await opened.#listens();
      return opened;
    } catch (error) {
      await eye[Symbol.asyncDispose]();
      throw error;
    }
  }

  get text(): string {
    const { service, container } = this.#options.server;
    return `the program of service "${service}" (${container.image})`;
  }

  /** As an end of a wire; a program's is driven by nobody. */
  get end(): ContainerEnd {
    return this.stack.as({ side: 'server', ip: this.address.ip });
  }

  /** The lab with the program in the place of its server, where it is one; else the same. */
  in(below: DockerLab): DockerLab | ApplicationLab {
    if (!this.isProgram) return below;
    const { stack, address, text } = this;
    return new ApplicationLab(below, {
      text,
      stack: stack.hello.stack,
      address,
      dialogue: new Dialogue(this.#options.request),
      sockets: async () => connectionsOf(await stack.allSockets(), { address, peer: below.ip('client') }),
    });
  }

  async #listens(): Promise<void> {
    const { ip, port } = this.address;
    const { withinMs, server } = this.#options;
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const listeners = listenersAmong(await this.stack.allSockets());
      const here = listeners.filter((each) => each.port === port);
      if (here.some((each) => each.ip === ip || each.ip === '0.0.0.0' || each.ip === '::')) return;
      if (performance.now() > untilMs)
        throw new NoSuchTarget(
          here.length > 0
            ? `the server (service "${server.service}") listens at port ${port} of ${here.map((each) => each.ip).join(', ')} alone, where no other container reaches it: have it listen at all addresses`
            : `nothing listens at port ${port} of the server (service "${server.service}") within ${withinMs / 1000} s: ${listeningText(listeners)} there; name its port (--port), or see "docker-compose logs ${server.service}"`,
        );
      await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
  }
}

function exposedPort({ service, container: { exposedPorts } }: ComposeService): number {
  const [port, ...others] = exposedPorts;
  if (port !== undefined && others.length === 0) return port;
  const exposes = port === undefined ? 'no port' : `the ports ${exposedPorts.join(', ')}`;
  throw new NoSuchTarget(`the server (service "${service}") exposes ${exposes}: say which is meant (--port)`);
}

const connectionsOf = (
  sockets: readonly SocketState[],
  { address, peer }: { readonly address: Address; readonly peer: string },
): readonly SocketState[] =>
  sockets.filter(
    ({ state, local, remote }) => local.port === address.port && (state === 'LISTEN' || remote.ip === peer),
  );
