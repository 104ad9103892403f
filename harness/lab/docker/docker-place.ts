/** What a side of a docker lab is made of: which stack, in which image. */
import { readFileSync } from 'node:fs';
import { type ContainerSpec, imageName } from '../../docker/index.js';
import { agentBinary } from '../../uml/index.js';

export type DockerPlace =
  /** The kernel that the engine runs on; with `image`, in that image with our agent put into it. */
  { readonly stack: 'linux'; readonly image?: string };

export type DockerPlaces = Readonly<Record<'client' | 'server', DockerPlace>>;

type PlaceSpec = Pick<ContainerSpec, 'image'> & Partial<ContainerSpec>;

const AGENT_PATH = '/lastack-agent';

export async function specOf(place: DockerPlace): Promise<PlaceSpec> {
  if (place.image === undefined) return { image: imageName('endpoint') };
  const content = readFileSync(await agentBinary());
  return {
    image: place.image,
    entrypoint: [AGENT_PATH],
    command: [],
    files: [{ path: AGENT_PATH, content, mode: 0o755 }],
  };
}
