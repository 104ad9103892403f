/**
 * Docker for tests of one's own: `import { docker } from 'lastack'`. What it gives is freed by `await using`; what is not, goes with the
 * process. The engine is the one that the docker client would take (DOCKER_HOST, DOCKER_CONTEXT), and connected to at the first need.
 */
import { RealClock } from '../../clock/index.js';
import type { EngineNetwork, NetworkOptions } from '../../docker/index.js';
import { SIDES } from '../../fault/index.js';
import {
  type AttachOptions,
  attach,
  Belongings,
  containerText,
  type DockerLabsOptions,
  dockerLabs,
  openContainersWire,
  type PairedWireOptions,
  reachContainer,
  sharedEngine,
  ToxiproxyContainer,
  type ToxiproxyContainerOptions,
  type WirePlace,
} from '../../lab/index.js';
import { monotonicNs } from '../../sys/index.js';
import type { RunOptions } from '../play-in-lab.js';
import { addressesBetween } from './common-network.js';
import { type ContainerRef, findContainer, portOf } from './container-place.js';
import { ContainerWire } from './container-wire.js';
import { runService, type Service, type ServiceOptions } from './service.js';

export interface AttachToOptions extends Pick<AttachOptions, 'faults' | 'eyes'> {
  /** The server's, as the container knows it (default: the one that a service listens at, or the only one that the image exposes). */
  readonly port?: number;
  /** Where the wire runs (default: here where this process may enter the container's namespace, else in a sidecar). */
  readonly wire?: WirePlace;
  /** Names the trace (default: what it is attached to). */
  readonly name?: string;
}

export interface BetweenOptions extends Pick<PairedWireOptions, 'faults' | 'eyes' | 'ports'> {
  /** The network that both are in, where there are several. */
  readonly network?: string;
  /** As with `attach`. */
  readonly wire?: WirePlace;
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
    const engine = await sharedEngine();
    const found = await findContainer(engine, container);
    const port = options.port ?? portOf(container, found);
    const { name = `attach to ${containerText(found)}`, faults = [] } = options;
    const target = await reachContainer(engine, found, options.wire);
    return await ContainerWire.open({ name, lab: 'attached', belongings: target }, async () => ({
      wire: await attach({ ...options, target, port, faults }),
      isOf: (side, { local, remote }) => (side === 'server' ? local : remote).port === port,
      endpoints: [],
    }));
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
    const found = {
      client: await findContainer(engine, client),
      server: await findContainer(engine, server),
    };
    const addresses = addressesBetween(found, options);
    const both = SIDES.map((side) => containerText(found[side])).join(' and ');
    const {
      name = `between ${both}`,
      faults = [],
      eyes = 'auto',
      ports = [],
      wire: place = 'auto',
    } = options;
    const belongings = new Belongings();
    return await ContainerWire.open({ name, lab: 'between', belongings }, async () => {
      const ends = SIDES.map((side) => ({ side, container: found[side] }));
      const clock = new RealClock(monotonicNs());
      const wire = await openContainersWire(
        { place, engine, ends, addresses, ports, faults, eyes, clock },
        belongings,
      );
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
