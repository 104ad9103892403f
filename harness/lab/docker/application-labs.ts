/**
 * Labs against a program that runs already in somebody else's container: the client is a container of ours beside it, with an agent, and the
 * wire lies in the hooks of both, for that client's connections alone. Whatever else the program serves passes beside it.
 */
import { RealClock } from '../../clock/index.js';
import type { Engine } from '../../docker/index.js';
import { Unsupported } from '../../endpoint/index.js';
import { monotonicNs } from '../../sys/index.js';
import { ApplicationLab } from '../application/application-lab.js';
import { Dialogue } from '../application/dialogue.js';
import type { Lab, LabOptions } from '../lab.js';
import { Belongings } from './belongings.js';
import type { ContainerApplication } from './container-application.js';
import { ContainerStack } from './container-stack.js';
import { DockerLab } from './docker-lab.js';
import { type DockerPlace, specOf } from './docker-place.js';
import { openContainersWire, type WirePlace } from './wire-place.js';

export interface ApplicationLabsOptions {
  readonly engine: Engine;
  /** Stays the caller's, to be disposed of after the labs. */
  readonly application: ContainerApplication;
  /** What the client says to it, once on each connection; default: nothing. */
  readonly request?: Uint8Array | string;
  readonly client?: Extract<DockerPlace, { readonly stack: 'linux' }>;
  readonly wire?: WirePlace;
}

/** Labs reject with `EngineError`, `AttachRefused` or `Unsupported`, in one sentence. */
export const applicationLabs =
  (options: ApplicationLabsOptions) =>
  (lab: LabOptions): Promise<Lab> =>
    openApplicationLab(lab, options);

/** Why no application can be the server of a story that wants this; undefined where one can. */
export function refusedByApplications({
  peer,
  mtu,
  addresses,
}: Pick<LabOptions, 'peer' | 'mtu' | 'addresses'>): string | undefined {
  if (peer !== undefined)
    return `has a scripted peer as its ${peer}, and an application's client is a kernel`;
  if (mtu !== undefined)
    return `wants an MTU of ${mtu}, and the network of an application is what it is already`;
  if (addresses !== undefined)
    return 'wants addresses of its own, and the network of an application has some already';
  return undefined;
}

async function openApplicationLab(
  options: LabOptions,
  { engine, application, request, client = { stack: 'linux' }, wire: place = 'auto' }: ApplicationLabsOptions,
): Promise<ApplicationLab> {
  const { ipVersion, faults = [], eyes = 'auto', settings } = options;
  const refusal = refusedByApplications(options);
  if (refusal !== undefined) throw new Unsupported(`the story ${refusal}`);
  if (ipVersion !== application.ipVersion)
    throw new TypeError(`the application was looked up for IPv${application.ipVersion}, not IPv${ipVersion}`);
  await using made = new Belongings();
  const stack = made.use(
    await ContainerStack.start({
      engine,
      network: application.network,
      side: 'client',
      ipVersion,
      ...(await specOf(client, { side: 'client', ipVersion, settings: settings?.client ?? {}, subnets: [] })),
    }),
  );
  made.use({ [Symbol.asyncDispose]: () => stack.leave() });
  const clock = new RealClock(monotonicNs());
  const addresses = { client: stack.ip, server: application.address.ip };
  // Of a client that was killed, whose address is our client's now, connections may be left.
  const others = new Set(
    application
      .sockets(addresses.client)
      .flatMap(({ state, cookie }) => (state === 'LISTEN' ? [] : [cookie])),
  );
  const ends = [stack, { side: 'server', container: application.container }] as const;
  const ports = [application.address.port];
  const wire = await openContainersWire({ place, engine, ends, addresses, ports, faults, eyes, clock }, made);
  const below = new DockerLab({
    ipVersion,
    addresses,
    stacks: [stack],

    clock,
    wire,
    made: made.move(),
  });
  return new ApplicationLab(below, {
    text: application.text,
    // Both are on the engine's machine.
    stack: stack.hello.stack,
    address: application.address,
    dialogue: new Dialogue(request),
    sockets: async () => application.sockets(addresses.client).filter(({ cookie }) => !others.has(cookie)),
    isAlive: () => application.isAlive(),
  });
}
