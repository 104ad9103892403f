/**
 * A lab of containers: each side's stack is the kernel under a container, driven by an agent in it, and the wire lies in the hooks of the two
 * containers' network namespaces: each segment is taken on its receiver's input side, when it has left its sender for good. Real time.
 * Containers and network go with the lab.
 */
import { RealClock } from '../../clock/index.js';
import type { EngineNetwork } from '../../docker/index.js';
import { type CallRecord, type Endpoint, type PeerPort, Unsupported } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import type { Eye, ReportedStates } from '../../observe/index.js';
import { monotonicNs } from '../../sys/index.js';
import type { WireControl } from '../../wire/index.js';
import type { PairedWire } from '../attached/index.js';
import type { Lab, LabOptions, Recording } from '../lab.js';
import { Belongings, together } from './belongings.js';
import { type ContainerEnd, ContainerStack } from './container-stack.js';
import { type DockerPlaces, specOf } from './docker-place.js';
import { type EnginesApart, startApart } from './engines-apart.js';
import { sharedEngine } from './shared-engine.js';
import { spareAddresses } from './spare-addresses.js';
import { openContainersWire, sidesWithout, type WirePlace } from './wire-place.js';

export interface DockerLabsOptions {
  readonly places?: DockerPlaces;
  /** Where the wire runs. Default: on a thread of this process where it may enter the containers' namespaces, else in a sidecar. */
  readonly wire?: WirePlace;
  /** Client and server in an engine each. */
  readonly apart?: EnginesApart;
}

const KERNELS: DockerPlaces = { client: { stack: 'linux' }, server: { stack: 'linux' } };

/** Labs between containers. A lab rejects with `EngineError` or `AttachRefused`, in one sentence. */
export const dockerLabs =
  ({ places = KERNELS, wire = 'auto', apart }: DockerLabsOptions = {}) =>
  async (options: LabOptions): Promise<Lab> => {
    if (options.addresses !== undefined)
      throw new Unsupported('a docker lab has the addresses that its network gives: leave out "addresses"');
    return apart === undefined
      ? openDockerLab(options, { places, wire })
      : new DockerLab(await startApart(options, { places, wire, apart }));
  };

async function openDockerLab(
  options: LabOptions,
  where: Required<Pick<DockerLabsOptions, 'places' | 'wire'>>,
): Promise<DockerLab> {
  const { ipVersion, mtu, peer, faults = [], eyes = 'auto' } = options;
  const engine = await sharedEngine();
  await using made = new Belongings();
  const network = made.use(
    await engine.createNetwork({ ipVersion, purpose: 'wire', ...(mtu === undefined ? {} : { mtu }) }),
  );
  const stacks = await together(
    sidesWithout(peer).map(async (side) => {
      const settings = options.settings?.[side] ?? {};
      const { subnets } = network;
      const place = await specOf(where.places[side], { side, ipVersion, settings, subnets });
      return made.use(await ContainerStack.start({ engine, network, side, ipVersion, ...place }));
    }),
  );
  const clock = new RealClock(monotonicNs());
  const addresses = addressesOf(stacks, { network, ipVersion });
  const wire = await openContainersWire(
    { place: where.wire, engine, ends: stacks, addresses, isTracked: false, faults, eyes, clock },
    made,
  );
  const reports = await Promise.all(stacks.map((stack) => stack.reported(clock)));
  const reported = reports.filter((each) => each !== undefined);
  return new DockerLab({ ipVersion, addresses, stacks, reported, clock, wire, made: made.move() });
}

export interface DockerLabParts {
  readonly ipVersion: 4 | 6;
  readonly addresses: Readonly<Record<Side, string>>;
  readonly stacks: readonly ContainerEnd[];
  /** Of stacks that tell their states themselves. */
  readonly reported?: readonly ReportedStates[];
  readonly clock: RealClock;
  readonly wire: PairedWire;
  readonly made: Belongings;
}

export class DockerLab implements Lab {
  readonly name = 'docker';
  readonly ipVersion: 4 | 6;
  readonly clock: RealClock;
  readonly wire: WireControl;
  readonly #parts: DockerLabParts;
  readonly #endpoints: ReadonlyMap<Side, Endpoint>;
  readonly #calls: CallRecord[] = [];

  /** `dockerLabs` makes them, and `openToxiproxyContainers` for its legs. */
  constructor(parts: DockerLabParts) {
    const { clock, stacks, wire } = parts;
    this.ipVersion = parts.ipVersion;
    this.clock = clock;
    this.wire = wire.wire;
    this.#parts = parts;
    this.#endpoints = new Map(
      stacks.map((stack) => [stack.side, stack.endpoint(clock, (record) => this.#calls.push(record))]),
    );
  }

  endpoint(side: Side): Endpoint {
    const found = this.#endpoints.get(side);
    if (found === undefined)
      throw new TypeError(`the ${side} of this lab is a scripted peer: it has no endpoint, use peerPort()`);
    return found;
  }

  ip(side: Side): string {
    return this.#parts.addresses[side];
  }

  peerPort(): PeerPort {
    const { peerPort } = this.#parts.wire;
    if (peerPort === undefined)
      throw new TypeError('this lab has a stack on both sides: open it with the option "peer" set to a side');
    return peerPort;
  }

  async recording(): Promise<Recording> {
    const { reported = [], wire } = this.#parts;
    const seen = await wire.recording();
    const transitions = [seen, ...reported].flatMap((each) => each.transitions);
    const notes = [seen, ...reported].flatMap((each) => each.notes).sort((a, b) => a.atNs - b.atNs);
    const eyes: readonly Eye[] = reported.length === 0 ? seen.eyes : [...seen.eyes, 'report'];
    return { ...seen, transitions, notes, eyes, calls: [...this.#calls] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.made[Symbol.asyncDispose]();
  }
}

function addressesOf(
  stacks: readonly ContainerStack[],
  { network, ipVersion }: { readonly network: EngineNetwork; readonly ipVersion: 4 | 6 },
): Readonly<Record<Side, string>> {
  const [client, server] = spareAddresses(network.subnets, ipVersion);
  const ipOf = (side: Side): string | undefined => stacks.find((stack) => stack.side === side)?.ip;
  return { client: ipOf('client') ?? client, server: ipOf('server') ?? server };
}
