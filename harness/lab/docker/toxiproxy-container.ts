/** A Toxiproxy server in a container: with our client, and with the npm package for those who know that. */
import {
  type Engine,
  EngineError,
  type EngineNetwork,
  imageName,
  type RunningContainer,
} from '../../docker/index.js';
import { nodeClient, type Toxiproxy, ToxiproxyClient, ToxiproxyError } from '../../toxiproxy/index.js';
import type { Settings } from '../lab.js';
import { sysctlsOf } from './docker-place.js';

export interface ToxiproxyContainerOptions {
  readonly engine: Engine;
  /** The first is where its API is reached, where that is from here. */
  readonly networks: readonly [EngineNetwork, ...EngineNetwork[]];
  /** Names that others in the first network know it by. */
  readonly aliases?: readonly string[];
  readonly settings?: Settings;
}

const API_PORT = 8474;
const ANSWERS_WITHIN_MS = 20_000;
const ASKS_EVERY_MS = 20;

export class ToxiproxyContainer implements AsyncDisposable {
  readonly container: RunningContainer;
  /** Of its API, from here. */
  readonly url: string;
  readonly client: ToxiproxyClient;

  private constructor(container: RunningContainer, url: string) {
    this.container = container;
    this.url = url;
    this.client = new ToxiproxyClient({ url });
  }

  /** Resolves when its API answers. Rejects with `EngineError`, and leaves nothing behind. */
  static async start(options: ToxiproxyContainerOptions): Promise<ToxiproxyContainer> {
    const { engine, networks, aliases, settings = {} } = options;
    const [of, ...also] = networks;
    const container = await engine.start({
      image: imageName('toxiproxy'),
      purpose: 'toxiproxy',
      network: { of, also, ...(aliases === undefined ? {} : { aliases }) },
      sysctls: sysctlsOf(settings),
      ports: engine.isLocal ? [] : [{ container: API_PORT }],
    });
    try {
      const started = new ToxiproxyContainer(container, urlOf(engine, container));
      await started.#answers();
      return started;
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
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

/** Every network has IPv4. Of another machine, only published ports are reached. */
function urlOf({ isLocal, host }: Engine, container: RunningContainer): string {
  if (isLocal) return `http://${container.ip(4)}:${API_PORT}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${container.publishedPort(API_PORT)}`;
}
