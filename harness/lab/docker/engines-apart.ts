/**
 * Client and server in an engine each, in a network that exists in both and reaches from one to the other. The wire is at the server, and takes
 * both directions there. Of the client's kernel only the agent can be asked.
 */
import { RealClock } from '../../clock/index.js';
import { Unsupported } from '../../endpoint/index.js';
import { SIDES, type Side } from '../../fault/index.js';
import { monotonicNs } from '../../sys/index.js';
import type { LabOptions } from '../lab.js';
import { Belongings, together } from './belongings.js';
import { ContainerStack } from './container-stack.js';
import type { DockerLabParts } from './docker-lab.js';
import { type DockerPlaces, specOf } from './docker-place.js';
import { sharedEngine } from './shared-engine.js';
import { openContainersWire, type WirePlace } from './wire-place.js';

export interface EnginesApart {
  /** As in DOCKER_HOST. */
  readonly hosts: Readonly<Record<Side, string>>;
  /** The name of the network, in both engines. */
  readonly network: string;
}

export interface ApartOptions {
  readonly places: DockerPlaces;
  readonly wire: WirePlace;
  readonly apart: EnginesApart;
}

/** Rejects with `EngineError`, `AttachRefused`, or `Unsupported`. */
export async function startApart(
  options: LabOptions,
  { places, wire: place, apart: { hosts, network } }: ApartOptions,
): Promise<DockerLabParts> {
  refuseWhatTakesOne(options, places);
  const { ipVersion, faults = [], eyes = 'auto' } = options;
  await using made = new Belongings();
  const stacks = await together(
    SIDES.map(async (side) => {
      const engine = await sharedEngine({ host: hosts[side] });
      const settings = options.settings?.[side] ?? {};
      const { spec } = await specOf(places[side], { side, ipVersion, settings, subnets: [] });
      const of = { name: network };
      return made.use(await ContainerStack.start({ engine, network: of, side, ipVersion, spec }));
    }),
  );
  const server = stacks.filter(({ side }) => side === 'server');
  const clock = new RealClock(monotonicNs());
  const ipOf = (side: Side): string => stacks.find((stack) => stack.side === side)?.ip ?? '';
  const addresses = { client: ipOf('client'), server: ipOf('server') };
  const engine = await sharedEngine({ host: hosts.server });
  const wire = await openContainersWire(
    { place, engine, ends: server, far: 'client', addresses, isTracked: false, faults, eyes, clock },
    made,
  );
  return { ipVersion, addresses, stacks, clock, wire, made: made.move() };
}

function refuseWhatTakesOne({ peer, mtu }: LabOptions, places: DockerPlaces): void {
  const what =
    peer !== undefined
      ? 'a scripted peer'
      : mtu !== undefined
        ? 'an MTU of its own'
        : SIDES.some((side) => places[side].stack !== 'linux')
          ? 'the own TCP'
          : undefined;
  if (what !== undefined)
    throw new Unsupported(`${what} takes a network that lastack makes: play it in one engine`);
}
