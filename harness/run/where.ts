/** Which stacks a person means, and in which lab. */
import { availableParallelism, release } from 'node:os';
import { OWN_STACK, ownStackName } from '../endpoint/index.js';
import {
  type DockerPlace,
  dockerLabs,
  type EnginesApart,
  type NetnsStack,
  netnsLabs,
  type VirtualStacks,
  virtualLabs,
  WIRE_PLACES,
  type WirePlace,
} from '../lab/index.js';
import { didYouMean } from '../text/index.js';
import { findKernel, installedKernels, isUpToDate, KernelUnavailable } from '../uml/index.js';
import type { RunOptions } from './play-in-lab.js';
import type { Filter } from './selection.js';

export const LABS: readonly string[] = ['netns', 'virtual', 'docker'];

/** There is no such lab, or no such endpoint in it. */
export class NoSuchPlace extends Error {
  override readonly name = 'NoSuchPlace';
}

export interface WhereOptions {
  readonly lab: string;
  readonly endpoint: string;
  /** Instead of `endpoint`, for one side. */
  readonly client?: string;
  readonly server?: string;
  /** Between containers: where the wire runs. */
  readonly wire?: string;
  /** Between containers: an engine for each side, and a network that both have. */
  readonly clientEngine?: string;
  readonly serverEngine?: string;
  readonly network?: string;
}

export type Where =
  | {
      readonly lab: 'netns' | 'docker';
      readonly openLab: RunOptions['openLab'];
      /** Of a docker lab, where it is not the one that the environment names. */
      readonly hosts?: readonly string[];
    }
  | {
      readonly lab: 'virtual';
      readonly openLab: RunOptions['openLab'];
      readonly stacks: VirtualStacks;
      /** Labs at once that keep all cores busy. */
      readonly jobs: number;
    };

/** Throws NoSuchPlace for a lab or an endpoint that there is not, and KernelUnavailable for a kernel that was not built. */
export function whereOf({
  lab,
  endpoint,
  client = endpoint,
  server = endpoint,
  ...options
}: WhereOptions): Where {
  const { wire } = options;
  const place = wirePlaceIn({ lab, ...(wire === undefined ? {} : { wire }) });
  const apart = enginesApart(lab, options);
  switch (lab) {
    case 'netns':
      return { lab, openLab: netnsLabs({ client: netnsStack(client), server: netnsStack(server) }) };
    case 'virtual': {
      const stacks = { client: virtualStack(client), server: virtualStack(server) };
      return { lab, openLab: virtualLabs(stacks), stacks, jobs: availableParallelism() };
    }
    case 'docker': {
      const places = { client: dockerPlace(client), server: dockerPlace(server) };
      const labs = { places, wire: place };
      if (apart === undefined) return { lab, openLab: dockerLabs(labs) };
      const { client: one, server: other } = apart.hosts;
      return { lab, openLab: dockerLabs({ ...labs, apart }), hosts: [one, other] };
    }
    default:
      throw new NoSuchPlace(
        `there is no lab "${lab}"${didYouMean(lab, LABS) || `: there is ${LABS.join(', ')}`}`,
      );
  }
}

/** Both engines and the network are named, or none. */
function enginesApart(
  lab: string,
  { clientEngine, serverEngine, network }: Pick<WhereOptions, 'clientEngine' | 'serverEngine' | 'network'>,
): EnginesApart | undefined {
  if (clientEngine === undefined && serverEngine === undefined && network === undefined) return undefined;
  if (lab !== 'docker')
    throw new NoSuchPlace('engines and their network are those of containers: add --lab docker');
  if (clientEngine === undefined || serverEngine === undefined || network === undefined)
    throw new NoSuchPlace(
      'client and server in an engine each take --client-engine, --server-engine and --network, which names a network that both have',
    );
  return { hosts: { client: clientEngine, server: serverEngine }, network };
}

export const clockOf = ({ lab }: Where): NonNullable<Filter['clock']> =>
  lab === 'virtual' ? 'virtual' : 'real';

interface EndpointName {
  readonly stack: (typeof STACKS)[number];
  readonly version: string | undefined;
}

const STACKS = ['linux', OWN_STACK] as const;

function parseEndpoint(name: string): EndpointName {
  const [stack = '', version] = name.split('@');
  const known = STACKS.find((each) => each === stack);
  if (known === undefined)
    throw new NoSuchPlace(
      `there is no endpoint "${name}"${didYouMean(stack, STACKS) || ': there is linux, with or without a version such as linux@6.12, and stack, the project’s own TCP'}`,
    );
  if (known === OWN_STACK) checkOwnVersion(name, version);
  return { stack: known, version };
}

/** There is one version of it: this package's. */
function checkOwnVersion(name: string, version: string | undefined): void {
  if (version !== undefined && !isVersion(ownStackName(), `${OWN_STACK}@${version}`))
    throw new NoSuchPlace(`there is no endpoint "${name}": this is ${ownStackName()}`);
}

/** Whether a version is meant that is named wholly or by its beginning: 6.12 is 6.12.57 too. */
const isVersion = (whole: string, named: string): boolean => whole === named || whole.startsWith(`${named}.`);

/** A kernel under test is this machine's, named with or without (the beginning of) its version. */
function netnsStack(name: string): NetnsStack {
  const { stack, version } = parseEndpoint(name);
  if (stack === 'linux' && version !== undefined && !isVersion(release(), version))
    throw new NoSuchPlace(
      `there is no endpoint "${name}" in the netns lab: its kernel is the running one, linux@${release()}; other kernels run with --lab virtual`,
    );
  return stack;
}

const IMAGE = 'image:';

/** The kernel under a container: of our own image, or of any other (`image:nginx:1.27`), into which the agent is put. */
export function dockerPlace(name: string): DockerPlace {
  if (name.startsWith(IMAGE)) return { stack: 'linux', image: name.slice(IMAGE.length) };
  const { stack, version } = parseEndpoint(name);
  if (stack !== OWN_STACK && version !== undefined)
    throw new NoSuchPlace(
      `there is no endpoint "${name}" in the docker lab: its kernel is the one that the engine runs on, linux`,
    );
  return { stack };
}

/** Throws NoSuchPlace for one that there is not in the lab. */
export function wirePlaceIn({ lab, wire }: Pick<WhereOptions, 'lab' | 'wire'>): WirePlace {
  if (wire === undefined) return 'auto';
  if (lab !== 'docker')
    throw new NoSuchPlace(`the wire of the ${lab} lab has one place only: name one with --lab docker`);
  return wirePlace(wire);
}

export function wirePlace(name: string): WirePlace {
  const known = WIRE_PLACES.find((each) => each === name);
  if (known === undefined)
    throw new NoSuchPlace(
      `there is no place "${name}" for the wire${didYouMean(name, WIRE_PLACES) || `: there is ${WIRE_PLACES.join(', ')}`}`,
    );
  return known;
}

/** The project's own TCP, or a kernel that was built here: the version that is named, or the newest. */
function virtualStack(name: string): string {
  const { stack, version } = parseEndpoint(name);
  if (stack === OWN_STACK) return OWN_STACK;
  if (version !== undefined) return findKernel(version).release;
  const newest = installedKernels().findLast(isUpToDate);
  if (newest === undefined)
    throw new KernelUnavailable(
      'the virtual lab runs kernels that were built for it, and there is none yet: "lastack kernel build 6.12" builds one, and "--endpoint stack" needs none',
    );
  return newest.release;
}
