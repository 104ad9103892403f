/** The way from a compose project's client through its Toxiproxy to its server, with a wire on each leg in a container of ours. */
import { RealClock } from '../../../clock/index.js';
import type { ComposeService, Engine } from '../../../docker/index.js';
import { Unsupported } from '../../../endpoint/index.js';
import { monotonicNs } from '../../../sys/index.js';
import { ToxiproxyClient, ToxiproxyError, type ToxiproxyProxy } from '../../../toxiproxy/index.js';
import { addressText } from '../../via/address-text.js';
import { type LegName, PORT, PROXY, type ViaLab, type ViaOptions } from '../../via/via-lab.js';
import { Belongings, together } from '../belongings.js';
import type { ContainerEnd, ContainerStack } from '../container-stack.js';
import { DockerLab } from '../docker-lab.js';
import { startEye, viaLabOf } from '../toxiproxy-middle.js';
import { openContainersWire, type WiredContainer } from '../wire-place.js';
import type { ComposeServer } from './compose-server.js';
import { meeting } from './meeting.js';
import type { ComposeRoles } from './roles.js';

export interface ComposeViaParts {
  readonly engine: Engine;
  readonly roles: ComposeRoles & { readonly toxiproxy: ComposeService };
  readonly client: ContainerStack;
  readonly server: ComposeServer;
  /** How long Toxiproxy may take until it answers. */
  readonly withinMs: number;
}

const API_PORT = 8474;
const ASKS_EVERY_MS = 100;

export async function openComposeVia(options: ViaOptions, parts: ComposeViaParts): Promise<ViaLab> {
  const { engine, roles, client, server, withinMs } = parts;
  const { ipVersion, mtu, settings, toxics = [] } = options;
  if (mtu !== undefined || settings !== undefined)
    throw new Unsupported('the story wants settings of its own, and these containers have theirs already');
  const [clientIp, nearIp] = meeting(roles.client, roles.toxiproxy, ipVersion);
  const [farIp, serverIp] = meeting(roles.toxiproxy, roles.server, ipVersion);
  const proxyAddress = { ip: nearIp, port: PORT };
  const serverAddress = { ip: serverIp, port: server.address.port };
  const toxiproxy = await answering(roles, withinMs);
  await using made = new Belongings();
  const eye = made.use(await startEye(engine, roles.toxiproxy.container.id, ipVersion));
  const clock = new RealClock(monotonicNs());
  const [near, far] = await together([
    openLeg({
      name: 'client',
      ends: [client.as({ side: 'client', ip: clientIp }), eye.as({ side: 'server', ip: nearIp })],
      containers: [roles.client, roles.toxiproxy],
      ...{ port: PORT, options, engine, clock, made },
    }),
    openLeg({
      name: 'server',
      ends: [eye.as({ side: 'client', ip: farIp }), server.stack.as({ side: 'server', ip: serverIp })],
      containers: [roles.toxiproxy, roles.server],
      isOpenEnded: server.isProgram,
      ...{ port: serverAddress.port, options, engine, clock, made },
    }),
  ]);
  made.use(near.endpoint('client'));
  if (!server.isProgram) made.use(far.endpoint('server'));
  const proxy = await freshProxy(toxiproxy, {
    listen: addressText(proxyAddress),
    upstream: addressText(serverAddress),
  });
  made.use({ [Symbol.asyncDispose]: () => proxy.delete() });
  const legs = { client: near, server: server.in(far) };
  return await viaLabOf(
    { ipVersion, clock, legs, toxiproxy, proxy, proxyAddress, serverAddress },
    toxics,
    made,
  );
}

/** Its API is asked where the client meets it: a harness that runs as a service is in that network, too. */
async function answering(
  { client, toxiproxy }: ComposeViaParts['roles'],
  withinMs: number,
): Promise<ToxiproxyClient> {
  const [, ip] = meeting(client, toxiproxy, 4);
  const url = `http://${ip}:${API_PORT}`;
  const api = new ToxiproxyClient({ url });
  const untilMs = performance.now() + withinMs;
  for (;;) {
    try {
      await api.version();
      return api;
    } catch (error) {
      if (!(error instanceof ToxiproxyError)) throw error;
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, ASKS_EVERY_MS));
    }
  }
}

/** A harness before this one may have been killed: what it has left goes. */
async function freshProxy(
  toxiproxy: ToxiproxyClient,
  addresses: { readonly listen: string; readonly upstream: string },
): Promise<ToxiproxyProxy> {
  const left = (await toxiproxy.proxies()).some(({ name }) => name === PROXY);
  if (left) await (await toxiproxy.proxy(PROXY)).delete();
  return toxiproxy.addProxy({ name: PROXY, ...addresses });
}

interface Leg {
  readonly name: LegName;
  readonly ends: readonly [client: ContainerEnd, server: ContainerEnd];
  readonly containers: readonly [client: ComposeService, server: ComposeService];
  /** Nobody drives its server. */
  readonly isOpenEnded?: boolean;
  readonly port: number;
  readonly options: ViaOptions;
  readonly engine: Engine;
  readonly clock: RealClock;
  readonly made: Belongings;
}

async function openLeg({
  name,
  ends,
  containers,
  isOpenEnded = false,
  made,
  ...leg
}: Leg): Promise<DockerLab> {
  const { options, engine, clock, port } = leg;
  const { ipVersion, faults = {}, eyes = 'auto' } = options;
  const [client, server] = ends;
  const addresses = { client: client.ip, server: server.ip };
  const wired: readonly WiredContainer[] = [
    { side: 'client', container: containers[0].container },
    { side: 'server', container: containers[1].container },
  ];
  const wire = await openContainersWire(
    {
      ...{ place: 'auto', engine, ends: wired, addresses, eyes, clock },
      ports: [port],
      faults: faults[name] ?? [],
    },
    made,
  );
  // Everything is the whole way's to free.
  const stacks = isOpenEnded ? [client] : ends;
  return new DockerLab({ ipVersion, addresses, stacks, clock, wire, made: new Belongings() });
}
