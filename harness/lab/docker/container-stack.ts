/** A side of a docker lab: a container with an agent, and as the endpoint the kernel that it runs on, or a stack behind that. */
import type { Clock, RealClock } from '../../clock/index.js';
import type { Engine, EngineNetwork, RunningContainer } from '../../docker/index.js';
import {
  AgentClient,
  AgentEndpoint,
  type AgentHello,
  type CallLog,
  type Endpoint,
  SocketError,
  type SocketState,
} from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import { type DiagSocket, decodeDiagMessage, dumpRequest, ReportedStates } from '../../observe/index.js';
import { NETLINK_SOCK_DIAG } from '../../sys/index.js';
import { askThroughAgent } from '../agent-netlink.js';
import { settingFile } from '../setting-names.js';
import { containerChannel } from './container-channel.js';
import type { PlaceSpec } from './docker-place.js';

export interface ContainerStackOptions {
  readonly engine: Engine;
  /** One that this process made, or that somebody else did; or that of a container that is there: then it is an eye and a hand in that one's. */
  readonly network: Pick<EngineNetwork, 'name'> | { readonly containerOf: string };
  readonly side: Side;
  readonly ipVersion: 4 | 6;
  /** What runs in it, without what all have in common. */
  readonly spec: PlaceSpec['spec'];
  /** Of the stack, where that is a host of its own behind the container's kernel. */
  readonly ip?: string;
}

/** What it must have of a container, whoever started it. */
export interface StackContainer
  extends Pick<RunningContainer, 'id' | 'pid' | 'stdio' | 'ended' | 'ip'>,
    AsyncDisposable {}

/** A stack as an end of one wire. */
export interface ContainerEnd {
  readonly side: Side;
  readonly ip: string;
  readonly container: StackContainer;
  endpoint(clock: Clock, log: CallLog): Endpoint;
}

const OWN_NAMESPACE = 0;
const LEFT_WITHIN_MS = 3000;

export class ContainerStack implements ContainerEnd, AsyncDisposable {
  readonly container: StackContainer;
  readonly hello: AgentHello;
  readonly #options: Pick<ContainerStackOptions, 'side' | 'ipVersion' | 'ip'>;
  readonly #client: AgentClient;
  #sequence = 0;

  private constructor(
    options: Pick<ContainerStackOptions, 'side' | 'ipVersion' | 'ip'>,
    parts: { container: StackContainer; client: AgentClient; hello: AgentHello },
  ) {
    this.#options = options;
    this.container = parts.container;
    this.#client = parts.client;
    this.hello = parts.hello;
  }

  /** Rejects with one sentence, and leaves nothing behind. */
  static async start(options: ContainerStackOptions): Promise<ContainerStack> {
    const { engine, network, side, spec } = options;
    const container = await engine.start({
      purpose: side,
      network: 'containerOf' in network ? network : { of: network },
      ...spec,
      stdio: true,
    });
    return ContainerStack.in(container, options);
  }

  /** An agent that runs already in a container with streams of ours, which it has from now on. */
  static async in(
    container: StackContainer,
    options: Pick<ContainerStackOptions, 'side' | 'ipVersion' | 'ip'>,
  ): Promise<ContainerStack> {
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
    return this.#options.ip ?? this.container.ip(this.#options.ipVersion);
  }

  /** The container's kernel only forwards to the stack, and has none of its sockets. */
  get isForwarding(): boolean {
    return this.#options.ip !== undefined;
  }

  /** From now on the changes of state that the stack tells of itself; undefined for one that does not. */
  async reported({ epochNs }: RealClock): Promise<ReportedStates | undefined> {
    if (!this.hello.capabilities.transitions) return undefined;
    const states = new ReportedStates(this.side);
    await this.#client.watchTransitions(({ atMonotonicNs, ...change }) =>
      states.take({ ...change, atNs: Number(atMonotonicNs - epochNs) }),
    );
    return states;
  }

  endpoint(clock: Clock, log: CallLog): Endpoint {
    return this.#endpointAt(this, clock, log);
  }

  /** The same stack where it is an end of several wires: as another side, with another of its addresses. */
  as({ side, ip }: Pick<ContainerEnd, 'side' | 'ip'>): ContainerEnd {
    return {
      side,
      ip,
      container: this.container,
      endpoint: (clock, log) => this.#endpointAt({ side, ip }, clock, log),
    };
  }

  #endpointAt({ side, ip }: Pick<ContainerEnd, 'side' | 'ip'>, clock: Clock, log: CallLog): Endpoint {
    return new AgentEndpoint({
      client: this.#client,
      side,
      ip,
      clock,
      log,
      stack: this.hello.stack,
      sockets: (): Promise<readonly SocketState[]> => this.#sockets(),
    });
  }

  /** A setting of its kernel, `net.` left out; undefined where it has none of that name. */
  async setting(name: string): Promise<string | undefined> {
    try {
      const octets = await this.#client.readFile(OWN_NAMESPACE, settingFile(name));
      return Buffer.from(octets).toString('utf8').trim().replaceAll(/\s+/g, ' ');
    } catch (error) {
      if (error instanceof SocketError) return undefined;
      throw error;
    }
  }

  async #sockets(): Promise<readonly SocketState[]> {
    if (!this.hello.capabilities.netlink) return this.#client.sockets();
    return this.#dumped(this.#options.ipVersion);
  }

  async #dumped(ipVersion: 4 | 6): Promise<readonly DiagSocket[]> {
    this.#sequence += 1;
    const answers = await askThroughAgent(
      { client: this.#client, namespace: OWN_NAMESPACE },
      NETLINK_SOCK_DIAG,
      dumpRequest({ ipVersion }),
      this.#sequence,
    );
    return answers.flatMap(decodeDiagMessage);
  }

  /** Those of its network namespace, whoever's, of both IP versions: a socket of IPv6 may have connections of IPv4. */
  async allSockets(): Promise<readonly DiagSocket[]> {
    return [...(await this.#dumped(4)), ...(await this.#dumped(6))];
  }

  /** Ends its agent, which resets what is still open, and waits until it has: whoever is at the other end is not left with it. */
  async leave(): Promise<void> {
    this.#client.close();
    await Promise.race([
      this.container.ended,
      new Promise((resolve) => setTimeout(resolve, LEFT_WITHIN_MS).unref()),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.container[Symbol.asyncDispose]();
  }
}
