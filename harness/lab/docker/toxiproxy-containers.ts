/**
 * Client, Toxiproxy and server in three containers on two networks, with a wire on each leg. A fourth container looks into the proxy's network
 * namespace, for the states of its sockets. All wires and times are those of the docker lab.
 */
import { RealClock } from '../../clock/index.js';
import { type Engine, imageName } from '../../docker/index.js';
import type { Side } from '../../fault/index.js';
import { monotonicNs } from '../../sys/index.js';
import { addressText } from '../via/address-text.js';
import { type LegName, PORT, PROXY, type ViaLab, type ViaOptions } from '../via/via-lab.js';
import { Belongings, together } from './belongings.js';
import { type ContainerEnd, ContainerStack } from './container-stack.js';
import { DockerLab } from './docker-lab.js';
import { sysctlsOf } from './docker-place.js';
import { sharedEngine } from './shared-engine.js';
import { ToxiproxyContainer } from './toxiproxy-container.js';
import { startEye, viaLabOf } from './toxiproxy-middle.js';
import { openContainersWire, type WirePlace } from './wire-place.js';

export interface ViaContainersOptions extends ViaOptions {
  /** Where the wires run. Default: as in the docker lab. */
  readonly wire?: WirePlace;
}

/** Rejects with `EngineError`, `AttachRefused` or `ToxiproxyError`, in one sentence. */
export async function openToxiproxyContainers(options: ViaContainersOptions): Promise<ViaLab> {
  const engine = await sharedEngine();
  await using made = new Belongings();
  const boxes = await startContainers(engine, options, made);
  const { ipVersion, toxics = [] } = options;
  const { server: toxiproxyServer, ends } = boxes;
  const clock = new RealClock(monotonicNs());
  const common = { options, engine, clock, made };
  const [client, server] = await together([
    openLeg('client', ends.client, common),
    openLeg('server', ends.server, common),
  ]);
  const proxyAddress = { ip: client.ip('server'), port: PORT };
  const serverAddress = { ip: server.ip('server'), port: PORT };
  // What the npm package can do, it does here.
  const proxies = await toxiproxyServer.nodeClient();
  await proxies.populate([
    { name: PROXY, listen: addressText(proxyAddress), upstream: addressText(serverAddress) },
  ]);
  const { client: toxiproxy } = toxiproxyServer;
  const proxy = await toxiproxy.proxy(PROXY);
  return await viaLabOf(
    { ipVersion, clock, legs: { client, server }, toxiproxy, proxy, proxyAddress, serverAddress },
    toxics,
    made,
  );
}

type Ends = Readonly<Record<Side, ContainerEnd>>;

interface Boxes {
  readonly server: ToxiproxyContainer;
  readonly ends: Readonly<Record<LegName, Ends>>;
}

async function startContainers(engine: Engine, options: ViaOptions, made: Belongings): Promise<Boxes> {
  const { ipVersion, settings = {}, mtu = {} } = options;
  // Two networks: each leg has its own MTU, and the proxy an address of its own on each.
  const [near, far] = await together(
    (['client', 'server'] as const).map(async (leg) => {
      const legMtu = mtu[leg];
      const purpose = `${leg} leg`;
      const network = { ipVersion, purpose, ...(legMtu === undefined ? {} : { mtu: legMtu }) };
      return made.use(await engine.createNetwork(network));
    }),
  );
  if (near === undefined || far === undefined) throw new Error('there are two legs');
  const stack = async (side: Side) => {
    const network = side === 'client' ? near : far;
    const sysctls = sysctlsOf(settings[side] ?? {});
    const spec = { image: imageName('endpoint'), sysctls };
    return made.use(await ContainerStack.start({ engine, network, side, ipVersion, spec }));
  };
  const toxiproxy = async () =>
    made.use(
      await ToxiproxyContainer.start({ engine, networks: [near, far], settings: settings.proxy ?? {} }),
    );
  const [client, proxy, server] = await together([stack('client'), toxiproxy(), stack('server')]);
  const eye = made.use(await startEye(engine, proxy.container.id, ipVersion));
  const proxyEnd = (side: Side, network: typeof near) =>
    eye.as({ side, ip: proxy.container.ip(ipVersion, network) });
  return {
    server: proxy,
    ends: {
      client: { client, server: proxyEnd('server', near) },
      server: { client: proxyEnd('client', far), server },
    },
  };
}

interface LegOptions {
  readonly options: ViaContainersOptions;
  readonly engine: Engine;
  readonly clock: RealClock;
  readonly made: Belongings;
}

async function openLeg(
  name: LegName,
  ends: Ends,
  { options, made, ...common }: LegOptions,
): Promise<DockerLab> {
  const { ipVersion, faults = {}, eyes = 'auto', wire: place = 'auto' } = options;
  const stacks = [ends.client, ends.server];
  const addresses = { client: ends.client.ip, server: ends.server.ip };
  const legFaults = faults[name] ?? [];
  const wire = await openContainersWire(
    { place, ends: stacks, addresses, isTracked: false, faults: legFaults, eyes, ...common },
    made,
  );
  // Everything is the whole way's to free.
  return new DockerLab({
    ipVersion,
    addresses,
    stacks,
    reported: [],
    clock: common.clock,
    wire,
    made: new Belongings(),
  });
}
