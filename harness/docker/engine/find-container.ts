/** Containers that somebody else made and that run: found by name, id or compose service. */
import type Dockerode from 'dockerode';
import { didYouMean } from '../../text/index.js';
import { limited } from './call-limit.js';
import { EngineError } from './engine-error.js';

export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** Of its first process, as the engine's machine counts. */
  readonly pid: number;
  readonly labels: Record<string, string>;
  readonly networks: readonly { readonly name: string; readonly ip?: string; readonly ipv6?: string }[];
  /** Of TCP. */
  readonly exposedPorts: readonly number[];
  /** Its kernel's part goes on, its programs stand still. */
  readonly isPaused: boolean;
  isRunning(): Promise<boolean>;
}

/** What a name is of; default: of either, a container's first. */
export type NameKind = 'container' | 'service';

export const SERVICE = 'com.docker.compose.service';
export const PROJECT = 'com.docker.compose.project';

export interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Status: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

const nameOf = ({ Names, Id }: Listed): string => Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12);

/** The one that is meant. Throws an EngineError with names that are near, or with those that it could be. */
export function chosen<T extends Listed>(name: string, all: readonly T[], engine: string, as?: NameKind): T {
  const matching = matches(name, all, as);
  const running = matching.filter(({ State }) => State === 'running' || State === 'paused');
  const [first, ...others] = running.length > 0 ? running : matching;
  if (first === undefined) {
    const near = didYouMean(name, knownNames(all)) || ': "docker ps" shows all';
    const what = { container: 'container', service: 'compose service' };
    const kind = as === undefined ? Object.values(what).join(' or ') : what[as];
    throw new EngineError('no-container', `${engine} has no ${kind} "${name}"${near}`);
  }
  if (others.length > 0)
    throw new EngineError(
      'no-container',
      `"${name}" could be ${[first, ...others].map((each) => `"${nameOf(each)}"`).join(' or ')}: name one of them`,
    );
  if (running.length === 0)
    throw new EngineError(
      'no-container',
      `container "${nameOf(first)}" does not run (${first.Status}): start it (docker start ${nameOf(first)})`,
    );
  return first;
}

/** A name is exact, then a service; the beginning of an id comes last, as it could be a name too. */
function matches<T extends Listed>(name: string, all: readonly T[], as?: NameKind): readonly T[] {
  const ways: readonly { readonly as: NameKind; readonly isIt: (each: T) => boolean }[] = [
    { as: 'container', isIt: ({ Id, Names }) => Id === name || Names.includes(`/${name}`) },
    {
      as: 'service',
      isIt: ({ Labels: labels = {} }) =>
        labels[SERVICE] === name || `${labels[PROJECT]}/${labels[SERVICE]}` === name,
    },
    { as: 'container', isIt: ({ Id }) => /^[0-9a-f]{2,}$/.test(name) && Id.startsWith(name) },
  ];
  for (const way of ways) {
    if (as !== undefined && way.as !== as) continue;
    const found = all.filter(way.isIt);
    if (found.length > 0) return found;
  }
  return [];
}

const knownNames = (all: readonly Listed[]): readonly string[] => [
  ...new Set(
    all.flatMap((each) => {
      const service = each.Labels?.[SERVICE];
      return [
        nameOf(each),
        ...(service === undefined ? [] : [service, `${each.Labels?.[PROJECT]}/${service}`]),
      ];
    }),
  ),
];

export async function findContainer(
  { docker, text: engine }: { readonly docker: Dockerode; readonly text: string },
  name: string,
  as?: NameKind,
): Promise<FoundContainer> {
  const all = await limited({ engine, what: 'list its containers' }, (abortSignal) =>
    docker.listContainers({ all: true, abortSignal }),
  );
  const { Id: id } = chosen(name, all, engine, as);
  const look = (): Promise<Dockerode.ContainerInspectInfo> =>
    limited({ engine, what: `look at container ${name}` }, (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    );
  return describedContainer(await look(), look);
}

/** What an engine tells of a container, as the rest of us knows it; `look` asks again. */
export function describedContainer(
  found: Dockerode.ContainerInspectInfo,
  look: () => Promise<Dockerode.ContainerInspectInfo>,
): FoundContainer {
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    image: found.Config.Image,
    pid: found.State.Pid,
    labels: found.Config.Labels ?? {},
    networks: Object.entries(found.NetworkSettings.Networks).map(([network, settings]) => ({
      name: network,
      ...(settings.IPAddress !== '' && { ip: settings.IPAddress }),
      ...(settings.GlobalIPv6Address !== '' && { ipv6: settings.GlobalIPv6Address }),
    })),
    exposedPorts: Object.keys(found.Config.ExposedPorts ?? {}).flatMap((key) =>
      key.endsWith('/tcp') ? [Number.parseInt(key, 10)] : [],
    ),
    isPaused: found.State.Paused,
    isRunning: async () => {
      try {
        return (await look()).State.Running;
      } catch (error) {
        if (error instanceof EngineError && error.kind === 'gone') return false;
        throw error;
      }
    },
  };
}
