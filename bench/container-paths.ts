/**
 * Containers on one bridge, and the ways between them that are compared, each at a port of its own: nothing, a rule of iptables, our
 * wire on a thread of this process and in a sidecar, Toxiproxy without a toxic. The sockets are the containers' kernel's, and driven from here.
 * The sidecar's wire ends at a second server: two wires do not share a pair of addresses.
 */
import { RealClock } from '../harness/clock/index.js';
import { imageName, type RunningContainer } from '../harness/docker/index.js';
import { type Address, KernelEndpoint } from '../harness/endpoint/index.js';
import { parseFault, type Side } from '../harness/fault/index.js';
import {
  Belongings,
  openContainersWire,
  type PairedWire,
  sharedEngine,
  ToxiproxyContainer,
} from '../harness/lab/index.js';
import { monotonicNs, NetworkNamespace } from '../harness/sys/index.js';
import { AppliedRules, compileRules } from '../harness/wire/index.js';
import type { Ends } from './paths.js';

export const WAYS = ['bare', 'rule', 'thread', 'sidecar', 'toxiproxy'] as const;
export type Way = (typeof WAYS)[number];

const PORTS: Readonly<Record<Way, number>> = {
  bare: 7000,
  rule: 7001,
  thread: 7002,
  sidecar: 7003,
  toxiproxy: 7004,
};
/** For the hundred, beside the measured connection. */
export const CROWD_PORTS = { thread: 7012, sidecar: 7013 } as const;

type WirePlace = keyof typeof CROWD_PORTS;

export interface ContainerPaths extends AsyncDisposable {
  readonly client: KernelEndpoint;
  readonly servers: Readonly<Record<WirePlace, KernelEndpoint>>;
  readonly wires: Readonly<Record<WirePlace, PairedWire>>;
  connected(way: Way): Promise<Ends>;
}

/** Rejects with `EngineError` or `AttachRefused`. The engine must be of this machine, and this process root. */
export async function openContainerPaths(): Promise<ContainerPaths> {
  const engine = await sharedEngine();
  await using made = new Belongings();
  const network = made.use(await engine.createNetwork({ ipVersion: 4, purpose: 'bench' }));
  const box = async (purpose: string) =>
    made.use(
      await engine.start({ image: imageName('endpoint'), purpose, network: { of: network }, stdio: true }),
    );
  const near = await box('client');
  const far = { thread: await box('server'), sidecar: await box('server') };
  const clock = new RealClock(monotonicNs());
  const client = made.use(endpointIn(near, 'client', clock));
  const servers = {
    thread: made.use(endpointIn(far.thread, 'server', clock)),
    sidecar: made.use(endpointIn(far.sidecar, 'server', clock)),
  };
  const wire = (place: WirePlace) =>
    openContainersWire(
      {
        ...{ engine, clock, faults: [], eyes: 'none' },
        place: place === 'thread' ? 'here' : 'sidecar',
        ends: [
          { side: 'client', container: near },
          { side: 'server', container: far[place] },
        ],
        addresses: { client: near.ip(4), server: far[place].ip(4) },
        ports: [PORTS[place], CROWD_PORTS[place]],
      },
      made,
    );
  const wires = { thread: await wire('thread'), sidecar: await wire('sidecar') };
  made.use(await ruleIn(near, 'client'));
  made.use(await ruleIn(far.thread, 'server'));
  const toxiproxy = made.use(await ToxiproxyContainer.start({ engine, networks: [network] }));
  const { toxiproxy: port } = PORTS;
  const upstream = `${far.thread.ip(4)}:${port}`;
  await toxiproxy.client.addProxy({ name: 'bench', listen: `0.0.0.0:${port}`, upstream });
  const all = made.move();
  return {
    client,
    servers,
    wires,
    connected: (way) => {
      const server = servers[way === 'sidecar' ? 'sidecar' : 'thread'];
      const ip = way === 'toxiproxy' ? toxiproxy.container.ip(4) : server.ip;
      return connected({ client, server }, { ip, port: PORTS[way] });
    },
    [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
  };
}

function endpointIn(container: RunningContainer, side: Side, clock: RealClock): KernelEndpoint {
  const namespace = NetworkNamespace.ofPid(container.pid);
  const ip = container.ip(4);
  return new KernelEndpoint({ side, namespace, ip, clock, log: () => {} });
}

/** Looks at each segment that comes in at this side; there is no RST to drop. */
async function ruleIn({ pid }: RunningContainer, side: Side): Promise<AppliedRules> {
  const fault = parseFault(`drop rst from ${side === 'client' ? 'server' : 'client'}`);
  const compiled = compileRules([fault], { as: 'iptables', place: { side, port: PORTS.rule } });
  if (compiled.kind !== 'rules') throw new Error('iptables has no rule for RST');
  return await AppliedRules.apply(compiled.rules, { namespace: `/proc/${pid}/ns/net` });
}

async function connected(
  { client, server }: { readonly client: KernelEndpoint; readonly server: KernelEndpoint },
  to: Address,
): Promise<Ends> {
  const listener = await server.listen({ port: to.port });
  const near = await client.connect(to);
  const far = await listener.accept();
  for (const end of [near, far]) await end.setOption('TCP_NODELAY', 1);
  return { client: near, server: far };
}
