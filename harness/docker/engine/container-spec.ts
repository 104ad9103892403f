/** What a container shall be, and the same as the engine's API wants to hear it. Pure. */
import { posix } from 'node:path';
import type Dockerode from 'dockerode';
import type { EngineNetwork } from './network.js';
import type { PlacedFile } from './tar.js';

export interface ContainerSpec {
  readonly image: string;
  /** "server of close/lost-final-ack": goes into the name and a label. */
  readonly purpose: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** One that this process made, or any other by its name. */
  readonly network?:
    | {
        readonly of: Pick<EngineNetwork, 'name'>;
        readonly ip?: string;
        readonly aliases?: readonly string[];
        /** Networks that it is in besides, from its start on. */
        readonly also?: readonly Pick<EngineNetwork, 'name'>[];
      }
    | { readonly containerOf: string }
    | 'none'
    | 'host';
  /** Shares the pid namespace of that container. */
  readonly pidOf?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly capAdd?: readonly string[];
  /** Default: all. */
  readonly capDrop?: readonly string[];
  readonly user?: string;
  readonly privileged?: boolean;
  readonly readOnly?: boolean;
  readonly mounts?: readonly {
    readonly source: string;
    readonly target: string;
    readonly readOnly?: boolean;
  }[];
  /** Put in before the start, also into an engine of another host. */
  readonly files?: readonly PlacedFile[];
  readonly ports?: readonly {
    readonly container: number;
    readonly host?: number;
    readonly hostIp?: string;
  }[];
  /** Its standard streams are ours, from before the start; when ours end, its input does. */
  readonly stdio?: boolean;
  readonly healthcheck?: {
    readonly command: readonly string[];
    readonly intervalMs: number;
    readonly retries: number;
  };
  readonly labels?: Readonly<Record<string, string>>;
}

const LONGEST_WORD = 24;

/** The first word of a purpose, as a container's name can have it. */
export function purposeWord(purpose: string): string {
  const [word = ''] = purpose.trim().toLowerCase().split(/\s+/);
  return word.replaceAll(/[^a-z0-9_.-]/g, '-').slice(0, LONGEST_WORD) || 'container';
}

export interface Named {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function createBody(spec: ContainerSpec, { name, labels }: Named): Dockerode.ContainerCreateOptions {
  const { command, entrypoint, env, user, healthcheck, ports = [], stdio = false } = spec;
  return {
    name,
    Image: spec.image,
    Labels: { ...spec.labels, ...labels },
    ...(command !== undefined && { Cmd: [...command] }),
    ...(entrypoint !== undefined && { Entrypoint: [...entrypoint] }),
    ...(env !== undefined && { Env: Object.entries(env).map(([key, value]) => `${key}=${value}`) }),
    ...(user !== undefined && { User: user }),
    ...(healthcheck !== undefined && { Healthcheck: healthBody(healthcheck) }),
    AttachStdout: true,
    AttachStderr: true,
    ...(stdio && { AttachStdin: true, OpenStdin: true, StdinOnce: true }),
    ExposedPorts: Object.fromEntries(ports.map(({ container }) => [`${container}/tcp`, {}])),
    HostConfig: hostBody(spec),
    ...networkBody(spec.network),
  };
}

const NS_A_MS = 1e6;

const healthBody = ({ command, intervalMs, retries }: NonNullable<ContainerSpec['healthcheck']>) => ({
  Test: ['CMD', ...command],
  Interval: intervalMs * NS_A_MS,
  // One look at least must fit.
  Timeout: Math.max(intervalMs, 1000) * NS_A_MS,
  Retries: retries,
});

function hostBody(spec: ContainerSpec): Dockerode.HostConfig {
  const { network, ports = [], sysctls, mounts = [], pidOf, stdio = false } = spec;
  return {
    AutoRemove: true,
    // What goes through the standard streams is ours, and need not be kept on the engine's disk.
    ...(stdio && { LogConfig: { Type: 'none', Config: {} } }),
    CapDrop: [...(spec.capDrop ?? ['ALL'])],
    ...(spec.capAdd !== undefined && { CapAdd: [...spec.capAdd] }),
    SecurityOpt: spec.privileged === true ? [] : ['no-new-privileges'],
    Privileged: spec.privileged ?? false,
    ReadonlyRootfs: spec.readOnly ?? false,
    ...(sysctls !== undefined && { Sysctls: { ...sysctls } }),
    ...(pidOf !== undefined && { PidMode: `container:${pidOf}` }),
    NetworkMode: networkMode(network),
    PortBindings: portBindings(ports),
    Mounts: [
      ...mounts.map(({ source, target, readOnly = false }) => ({
        Type: 'bind' as const,
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })),
      ...fileFolders(spec).map((target) => ({ Type: 'volume' as const, Target: target, Source: '' })),
    ],
  };
}

/**
 * Where the root is read-only the engine takes files into volumes only: each of their folders is one, without a name, which goes
 * with the container.
 */
export function fileFolders({ readOnly = false, files = [] }: ContainerSpec): readonly string[] {
  if (!readOnly) return [];
  const folders = [...new Set(files.map(({ path }) => posix.dirname(path)))];
  if (folders.includes('/'))
    throw new TypeError('a read-only container takes no file into its root folder: put it into another');
  return folders;
}

function networkMode(network: ContainerSpec['network']): string {
  if (network === undefined) return 'default';
  if (typeof network === 'string') return network;
  return 'of' in network ? network.of.name : `container:${network.containerOf}`;
}

function portBindings(
  ports: NonNullable<ContainerSpec['ports']>,
): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { container, host, hostIp = '' } of ports) {
    const key = `${container}/tcp`;
    bindings[key] = [
      ...(bindings[key] ?? []),
      { HostIp: hostIp, HostPort: host === undefined ? '' : String(host) },
    ];
  }
  return bindings;
}

function networkBody(
  network: ContainerSpec['network'],
): Pick<Dockerode.ContainerCreateOptions, 'NetworkingConfig'> {
  if (typeof network !== 'object' || !('of' in network)) return {};
  const { of, ip, aliases = [] } = network;
  const address = ip === undefined ? {} : ip.includes(':') ? { IPv6Address: ip } : { IPv4Address: ip };
  return {
    NetworkingConfig: {
      EndpointsConfig: {
        [of.name]: { Aliases: [...aliases], ...(ip !== undefined && { IPAMConfig: address }) },
      },
    },
  };
}
