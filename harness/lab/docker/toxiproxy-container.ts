/** A Toxiproxy server in a container: with our client, and with the npm package for those who know that. */
import {
  type ContainerSpec,
  type Engine,
  EngineError,
  type EngineNetwork,
  imageName,
  type RunningContainer,
} from '../../docker/index.js';
import type { Address } from '../../endpoint/index.js';
import { nodeClient, type Toxiproxy, ToxiproxyClient, ToxiproxyError } from '../../toxiproxy/index.js';
import type { Settings } from '../lab.js';
import { addressText } from '../via/address-text.js';
import { sysctlsOf } from './docker-place.js';

export interface ToxiproxyContainerOptions {
  readonly engine: Engine;
  /** The first is the one in which it is reached from here. */
  readonly networks: readonly [Network, ...Network[]];
  /** What others in the first network call it. */
  readonly name?: string;
  /** At which its proxies listen for programs that are not in its networks, as `address` tells. */
  readonly ports?: readonly number[];
  readonly settings?: Settings;
}

type Network = Pick<EngineNetwork, 'name'>;

const API_PORT = 8474;
const LOCALHOST = '127.0.0.1';
const ANSWERS_WITHIN_MS = 20_000;
const ASKS_EVERY_MS = 20;

export class ToxiproxyContainer implements AsyncDisposable {
  readonly container: RunningContainer;
  /** Of its API, from here. */
  readonly url: string;
  readonly client: ToxiproxyClient;
  readonly #engine: Engine;

  private constructor(engine: Engine, container: RunningContainer) {
    this.#engine = engine;
    this.container = container;
    this.url = `http://${addressText(this.address(API_PORT))}`;
    this.client = new ToxiproxyClient({ url: this.url });
  }

  /** Resolves when its API answers. Rejects with `EngineError`, and leaves nothing behind. */
  static async start(options: ToxiproxyContainerOptions): Promise<ToxiproxyContainer> {
    const { engine, networks, name, ports = [], settings = {} } = options;
    const [of, ...also] = networks;
    const container = await engine.start({
      image: imageName('toxiproxy'),
      purpose: 'toxiproxy',
      network: { of, also, aliases: name === undefined ? [] : [name] },
      sysctls: sysctlsOf(settings),
      ports: publishedOf(engine, [API_PORT, ...ports]),
    });
    try {
      const started = new ToxiproxyContainer(engine, container);
      await started.#answers();
      return started;
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where a port of it is, from here. Throws a TypeError for one that its options do not name, where only published ones are reached. */
  address(port: number): Address {
    // Every network has IPv4.
    if (this.#engine.isLocal) return { ip: this.container.ip(4), port };
    const published = this.container.publishedPort(port);
    if (published === undefined)
      throw new TypeError(`port ${port} of ${this.container.name} is not published: name it in its ports`);
    return { ip: this.#engine.host, port: published };
  }

  /** The npm package's face of this server. */
  nodeClient(): Promise<Toxiproxy> {
    return nodeClient(this.url);
  }

  async #answers(): Promise<void> {
    const untilMs = performance.now() + ANSWERS_WITHIN_MS;
    const { ended, name } = this.container;
    let end: string | undefined;
    ended.then(({ sentence }) => {
      end = sentence;
    });
    for (;;) {
      try {
        await this.client.version();
        return;
      } catch (error) {
        if (!(error instanceof ToxiproxyError)) throw error;
        if (end !== undefined) throw new EngineError('gone', `Toxiproxy does not start: ${end}`);
        if (performance.now() > untilMs)
          throw new EngineError(
            'failed',
            `Toxiproxy in container ${name} does not answer at ${this.url} within ${ANSWERS_WITHIN_MS / 1000} s: see whether that address can be reached from here`,
          );
        await new Promise((resolve) => setTimeout(resolve, ASKS_EVERY_MS));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.container[Symbol.asyncDispose]();
  }
}

/** On this machine its own address is the shorter way; of another one only published ports are reached. */
const publishedOf = (
  { isLocal, host }: Engine,
  ports: readonly number[],
): NonNullable<ContainerSpec['ports']> =>
  isLocal
    ? []
    : ports.map((container) => ({ container, ...(host === LOCALHOST ? { hostIp: LOCALHOST } : {}) }));
