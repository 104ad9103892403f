/** What a side of a docker lab is made of: which stack, in which image. */
import { readFileSync } from 'node:fs';
import { type ContainerSpec, imageName } from '../../docker/index.js';
import { OWN_STACK, ownSettings } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import { agentBinary } from '../../uml/index.js';
import type { Settings } from '../lab.js';
import { checkSettingName } from '../setting-names.js';
import { ownBoxContainer } from './own-box-container.js';
import { spareAddresses } from './spare-addresses.js';

export type DockerPlace =
  /** The kernel that the engine runs on; with `image`, in that image, with our agent put into it. */
  | { readonly stack: 'linux'; readonly image?: string }
  /** The project's own TCP: a host of its own beside the container's kernel, with an address of its own. */
  | { readonly stack: typeof OWN_STACK };

export type DockerPlaces = Readonly<Record<Side, DockerPlace>>;

/** What to start for a side. */
export interface PlaceSpec {
  readonly spec: Pick<ContainerSpec, 'image'> & Partial<ContainerSpec>;
  /** Of the stack, where that is not the container's. */
  readonly ip?: string;
}

export interface PlaceOptions {
  readonly side: Side;
  readonly ipVersion: 4 | 6;
  readonly settings: Settings;
  readonly subnets: readonly string[];
}

const AGENT_PATH = '/lastack-agent';

/** Rejects with `Unsupported` for settings that the own TCP cannot have, and with `BuildError` when the agent cannot be compiled. */
export async function specOf(place: DockerPlace, options: PlaceOptions): Promise<PlaceSpec> {
  const { settings } = options;
  if (place.stack === OWN_STACK) return ownStackSpec(options);
  const sysctls = sysctlsOf(settings);
  if (place.image === undefined) return { spec: { image: imageName('endpoint'), sysctls } };
  const content = readFileSync(await agentBinary());
  const files = [{ path: AGENT_PATH, content, mode: 0o755 }];
  return { spec: { image: place.image, entrypoint: [AGENT_PATH], command: [], files, sysctls } };
}

function ownStackSpec({ side, ipVersion, settings, subnets }: PlaceOptions): PlaceSpec {
  ownSettings(settings);
  const [ofClient, ofServer] = spareAddresses(subnets, ipVersion);
  const ip = side === 'client' ? ofClient : ofServer;
  return { ip, spec: ownBoxContainer({ ips: [ip], settings }) };
}

/** The engine sets them before anything of the container runs, and refuses those that are not a namespace's own. */
export function sysctlsOf(settings: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      checkSettingName(name);
      return [`net.${name}`, String(value)];
    }),
  );
}
