/**
 * Docker for tests of one's own: `import { docker } from 'lastack'`. What it gives is freed by `await using`; what is not, goes with the
 * process. The engine is the one that the docker client would take (DOCKER_HOST, DOCKER_CONTEXT), and connected to at the first need.
 */
import type { Engine, EngineNetwork, NetworkOptions } from '../../docker/index.js';
import { SIDES, type Side } from '../../fault/index.js';
import {
  type AttachOptions,
  attach,
  type DockerLabsOptions,
  dockerLabs,
  openPairedWire,
  type PairedEnd,
  type PairedWireOptions,
  sharedEngine,
  ToxiproxyContainer,
  type ToxiproxyContainerOptions,
} from '../../lab/index.js';
import type { RunOptions } from '../play-in-lab.js';
import { addressesBetween } from './common-network.js';
import { type ContainerPlace, type ContainerRef, findPlace, portOf } from './container-place.js';
import { ContainerWire } from './container-wire.js';
import { runService, type Service, type ServiceOptions } from './service.js';

export interface AttachToOptions extends Pick<AttachOptions, 'faults' | 'eyes'> {
  /** The server's, as the container knows it (default: the one that a service listens at, or the only one that the image exposes). */
  readonly port?: number;
  /** Names the trace (default: what it is attached to). */
  readonly name?: string;
}

export interface BetweenOptions extends Pick<PairedWireOptions, 'faults' | 'eyes' | 'ports'> {
  /** The network that both are in, where there are several. */
  readonly network?: string;
  /** Default 4. */
  readonly ipVersion?: 4 | 6;
  readonly name?: string;
}

export interface ToxiproxyOptions extends Pick<ToxiproxyContainerOptions, 'name' | 'ports'> {
  readonly network: Pick<EngineNetwork, 'name'>;
  /** Networks that it is in besides. */
  readonly also?: readonly Pick<EngineNetwork, 'name'>[];
}

export const docker = {
  /** Starts a container, and waits until it listens. Rejects with an `EngineError` that has the last lines it said. */
  run: async (options: ServiceOptions): Promise<Service> => runService(await sharedEngine(), options),

  /** A network for containers that shall see each other, by the names that they were given. */
  network: async (options: Partial<NetworkOptions> = {}): Promise<EngineNetwork> =>
    (await sharedEngine()).createNetwork({ ipVersion: 4, purpose: 'network', ...options }),

  /**
   * Puts faults into the connections of a container that runs, whoever started it: a `Service`, one of testcontainers, a name, an id, a
   * compose service. Rejects with `EngineError`, `NoSuchTarget` or `AttachRefused`.
   */
  attach: async (container: ContainerRef, options: AttachToOptions = {}): Promise<ContainerWire> => {
    const place = await findPlace(await sharedEngine(), container);
    const { name = `attach to ${place.text}`, faults = [] } = options;
    return await ContainerWire.open({ name, lab: 'attached', places: [place] }, async () => {
      const port = options.port ?? portOf(container, place);
      const wire = await attach({ ...options, target: place, port, faults });
      return {
        wire,
        isOf: (side, { local, remote }) => (side === 'server' ? local : remote).port === port,
        endpoints: [],
      };
    });
  },

  /**
   * Puts a wire between two containers that share a network. Each segment is taken when it has left its sender for good: what is dropped
   * is a loss in the network.
   */
  between: async (
    client: ContainerRef,
    server: ContainerRef,
    options: BetweenOptions = {},
  ): Promise<ContainerWire> => {
    const engine = await sharedEngine();
    const places = await findBoth(engine, { client, server });
    const name = options.name ?? `between ${places.client.text} and ${places.server.text}`;
    const both = SIDES.map((side) => places[side]);
    return await ContainerWire.open({ name, lab: 'between', places: both }, async () => {
      const addresses = addressesBetween(places, options);
      const end = ({ namespace }: ContainerPlace): PairedEnd => ({ kind: 'namespace', namespace });
      const wire = await openPairedWire({
        ...options,
        ends: { client: end(places.client), server: end(places.server) },
        addresses,
      });
      return {
        wire,
        isOf: (side, { local }) => local.ip === addresses[side],
        endpoints: SIDES.map((side) => ({ side, ip: addresses[side] })),
      };
    });
  },

  /**
   * Toxiproxy in a network that others are in, where they call it by its `name`. Its `client` is ours; `nodeClient()` gives the npm
   * package's. Rejects with `EngineError`.
   */
  toxiproxy: async ({ network, also = [], ...options }: ToxiproxyOptions): Promise<ToxiproxyContainer> =>
    ToxiproxyContainer.start({ ...options, engine: await sharedEngine(), networks: [network, ...also] }),

  /** Labs between two containers of ours: `record({ openLab: docker.lab() }, story)`. */
  lab: (options?: DockerLabsOptions): RunOptions['openLab'] => dockerLabs(options),
} as const;

async function findBoth(
  engine: Engine,
  refs: Readonly<Record<Side, ContainerRef>>,
): Promise<Readonly<Record<Side, ContainerPlace>>> {
  const client = await findPlace(engine, refs.client);
  try {
    return { client, server: await findPlace(engine, refs.server) };
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}
