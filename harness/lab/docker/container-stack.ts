/** A side of a docker lab: a container with an agent, and the kernel that it runs on as the endpoint. */
import type { Clock } from '../../clock/index.js';
import type { ContainerSpec, Engine, EngineNetwork, RunningContainer } from '../../docker/index.js';
import {
  AgentClient,
  AgentEndpoint,
  type AgentHello,
  type CallLog,
  type Endpoint,
  type SocketState,
} from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import { type DiagSocket, decodeDiagMessage, dumpRequest } from '../../observe/index.js';
import { NETLINK_SOCK_DIAG } from '../../sys/index.js';
import { askThroughAgent } from '../agent-netlink.js';
import type { Settings } from '../lab.js';
import { checkSettingName } from '../setting-names.js';
import { containerChannel } from './container-channel.js';

export interface ContainerStackOptions {
  readonly engine: Engine;
  /** One that this process made, or that somebody else did. */
  readonly network: Pick<EngineNetwork, 'name'>;
  readonly side: Side;
  readonly ipVersion: 4 | 6;
  readonly settings: Settings;
  /** What runs in it, without what all have in common. */
  readonly spec: Pick<ContainerSpec, 'image'> & Partial<ContainerSpec>;
}

const OWN_NAMESPACE = 0;

export class ContainerStack implements AsyncDisposable {
  readonly container: RunningContainer;
  readonly hello: AgentHello;
  readonly #options: ContainerStackOptions;
  readonly #client: AgentClient;
  #sequence = 0;

  private constructor(
    options: ContainerStackOptions,
    parts: { container: RunningContainer; client: AgentClient; hello: AgentHello },
  ) {
    this.#options = options;
    this.container = parts.container;
    this.#client = parts.client;
    this.hello = parts.hello;
  }

  /** Rejects with one sentence, and leaves nothing behind. */
  static async start(options: ContainerStackOptions): Promise<ContainerStack> {
    const { engine, network, side, settings, spec } = options;
    const container = await engine.start({
      purpose: side,
      network: { of: network },
      ...spec,
      sysctls: { ...spec.sysctls, ...sysctlsOf(settings) },
      stdio: true,
    });
    try {
      const client = new AgentClient(containerChannel(container));
      return new ContainerStack(options, { container, client, hello: await client.hello() });
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
  }

  get side(): Side {
    return this.#options.side;
  }

  get ip(): string {
    return this.container.ip(this.#options.ipVersion);
  }

  endpoint(clock: Clock, log: CallLog): Endpoint {
    return new AgentEndpoint({
      client: this.#client,
      side: this.#options.side,
      ip: this.ip,
      clock,
      log,
      stack: this.hello.stack,
      sockets: (): Promise<readonly SocketState[]> => this.#sockets(),
    });
  }

  async #sockets(): Promise<readonly DiagSocket[]> {
    this.#sequence += 1;
    const answers = await askThroughAgent(
      { client: this.#client, namespace: OWN_NAMESPACE },
      NETLINK_SOCK_DIAG,
      dumpRequest({ ipVersion: this.#options.ipVersion }),
      this.#sequence,
    );
    return answers.flatMap(decodeDiagMessage);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.container[Symbol.asyncDispose]();
  }
}

/** The engine sets them before anything of the container runs, and refuses those that are not a namespace's own. */
function sysctlsOf(settings: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      checkSettingName(name);
      return [`net.${name}`, String(value)];
    }),
  );
}
