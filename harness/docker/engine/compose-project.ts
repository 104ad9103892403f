/** The containers of a compose project, by their services, and what of others they share. */
import { readFileSync } from 'node:fs';
import type Dockerode from 'dockerode';
import { limited } from './call-limit.js';
import { EngineError } from './engine-error.js';
import { describedContainer, type FoundContainer, PROJECT, SERVICE } from './find-container.js';

export interface ComposeService {
  readonly service: string;
  readonly container: FoundContainer;
  readonly isRunning: boolean;
  /** Whether its program has a standard input to talk to. */
  readonly hasInput: boolean;
  /** Of which container its network is, by its id. */
  readonly networkOf?: string;
  /** Whose processes it sees besides its own: a container's, by its id, or the machine's. */
  readonly pidsOf?: string;
}

export const PIDS_OF_HOST = 'host';

const OF_CONTAINER = /^container:(.+)$/;

/** Those of one project; of a service that was scaled, all of its containers. */
export async function projectServices(
  { docker, text: engine }: { readonly docker: Dockerode; readonly text: string },
  project: string,
): Promise<readonly ComposeService[]> {
  const label = [`${PROJECT}=${project}`, 'com.docker.compose.oneoff=False'];
  const all = await limited({ engine, what: `list the containers of project ${project}` }, (abortSignal) =>
    docker.listContainers({ all: true, filters: { label }, abortSignal }),
  );
  const services = await Promise.all(all.map(({ Id }) => described({ docker, engine }, Id)));
  return services.filter((each) => each !== undefined);
}

/** Undefined for one that has gone meanwhile. */
async function described(
  { docker, engine }: { readonly docker: Dockerode; readonly engine: string },
  id: string,
): Promise<ComposeService | undefined> {
  const look = (): Promise<Dockerode.ContainerInspectInfo> =>
    limited({ engine, what: `look at container ${id.slice(0, 12)}` }, (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    );
  try {
    const found = await look();
    const { NetworkMode = '', PidMode = '' } = found.HostConfig;
    const [, networkOf] = OF_CONTAINER.exec(NetworkMode) ?? [];
    const [, pidsOf = PidMode === PIDS_OF_HOST ? PIDS_OF_HOST : undefined] = OF_CONTAINER.exec(PidMode) ?? [];
    return {
      service: found.Config.Labels[SERVICE] ?? '',
      container: describedContainer(found, look),
      isRunning: found.State.Running,
      hasInput: found.Config.OpenStdin && !found.Config.Tty,
      ...(networkOf === undefined ? {} : { networkOf }),
      ...(pidsOf === undefined ? {} : { pidsOf }),
    };
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'gone') return undefined;
    throw error;
  }
}

/** Of the container that this process runs in; undefined where it runs in none. */
export function ownContainerId(): string | undefined {
  try {
    // An engine mounts files of its own into each container, from a folder that has the container's id for its name.
    const [, id] = /\/containers\/([0-9a-f]{64})\//.exec(readFileSync('/proc/self/mountinfo', 'utf8')) ?? [];
    return id;
  } catch {
    return undefined;
  }
}
