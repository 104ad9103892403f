/** A container of a test: started, awaited until it listens, and removed with all that was made for it. */
import {
  type ContainerEnded,
  type ContainerSpec,
  type Engine,
  EngineError,
  type EngineNetwork,
  type Executed,
  lastWords,
  type RunningContainer,
} from '../../docker/index.js';
import type { Address } from '../../endpoint/index.js';
import { looksFor } from './listening.js';

export interface ServiceOptions
  extends Pick<
    ContainerSpec,
    | 'image'
    | 'command'
    | 'entrypoint'
    | 'env'
    | 'user'
    | 'capAdd'
    | 'capDrop'
    | 'sysctls'
    | 'mounts'
    | 'files'
    | 'readOnly'
    | 'labels'
  > {
  /** At which it listens. Without one it is not waited for, and has no address. */
  readonly port?: number;
  /** What others on its network call it, and a part of the container's name. */
  readonly name?: string;
  /** Default: one of its own. It stays when the service goes. */
  readonly network?: EngineNetwork;
  /** Of its address; the network must have it. Default 4. */
  readonly ipVersion?: 4 | 6;
  /** How long it may take until it listens (default 30 s). */
  readonly withinMs?: number;
}

export interface Service extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly port: number | undefined;
  /** Where this process reaches it. Throws a TypeError where it was started without a port. */
  readonly address: Address;
  /** Resolves when it ends, by itself or removed. */
  readonly ended: Promise<ContainerEnded>;
  logs(options?: { readonly tailLines?: number }): Promise<string>;
  /** Runs a program in it, to its end. */
  execute(...command: readonly string[]): Promise<Executed>;
}

const LISTENS_WITHIN_MS = 30_000;

/** Rejects with an `EngineError`, and leaves nothing. */
export async function runService(engine: Engine, options: ServiceOptions): Promise<Service> {
  const { network, ipVersion = 4 } = options;
  const own =
    network === undefined
      ? await engine.createNetwork({ ipVersion: ipVersion === 4 ? 4 : 'both', purpose: purposeOf(options) })
      : undefined;
  let container: RunningContainer | undefined;
  const dispose = async (): Promise<void> => {
    await container?.[Symbol.asyncDispose]();
    await own?.[Symbol.asyncDispose]();
  };
  try {
    container = await engine.start(specOf(engine, options, network ?? own));
    const address = addressOf(engine, container, options);
    if (address !== undefined) await listening(engine, container, { ...options, address });
    return serviceOf(engine, { container, address, port: options.port, dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}

const purposeOf = ({ name, image }: ServiceOptions): string => name ?? image;

function specOf(engine: Engine, options: ServiceOptions, network: EngineNetwork | undefined): ContainerSpec {
  const { port, name, network: _network, ipVersion: _ipVersion, withinMs: _withinMs, ...spec } = options;
  // On this machine its own address is the shorter way; on another one only published ports are reached.
  const isPublished = port !== undefined && !engine.isLocal;
  const hostIp = engine.host === LOCALHOST ? { hostIp: LOCALHOST } : {};
  return {
    // An image of somebody else's may count on what the engine gives by itself.
    capDrop: [],
    ...spec,
    purpose: purposeOf(options),
    ...(network !== undefined && { network: { of: network, aliases: name === undefined ? [] : [name] } }),
    ...(isPublished && { ports: [{ container: port, ...hostIp }] }),
  };
}

const LOCALHOST = '127.0.0.1';

function addressOf(
  engine: Engine,
  container: RunningContainer,
  { port, ipVersion = 4 }: ServiceOptions,
): Address | undefined {
  if (port === undefined) return undefined;
  // One that has ended at once has none: waiting for it tells how it ended.
  if (container.pid === 0) return { ip: '', port };
  if (engine.isLocal) return { ip: container.ip(ipVersion), port };
  const published = container.publishedPort(port);
  return { ip: published === undefined ? '' : engine.host, port: published ?? 0 };
}

interface Awaited extends Pick<ServiceOptions, 'port' | 'withinMs'> {
  readonly address: Address;
}

async function listening(
  engine: Engine,
  container: RunningContainer,
  { port = 0, address, withinMs = LISTENS_WITHIN_MS }: Awaited,
): Promise<void> {
  using looks = looksFor({ isLocal: engine.isLocal, pid: container.pid, port, address });
  const deadlineMs = performance.now() + withinMs;
  const ended = container.ended.then(({ sentence }) => sentence);
  for (;;) {
    const gone = await Promise.race([ended, pause()]);
    const fail = async (kind: 'gone' | 'failed', sentence: string): Promise<never> => {
      throw new EngineError(kind, `${sentence}; ${await lastWords(container)}`);
    };
    if (gone !== undefined) await fail('gone', gone);
    const found = await looks.look();
    if (found === 'listens') return;
    if (performance.now() < deadlineMs) continue;
    const where = found === 'loopback' ? ': it does at its loopback only, have it listen at 0.0.0.0' : '';
    await fail(
      'failed',
      `container ${container.name} did not listen at port ${port} within ${withinMs} ms${where}`,
    );
  }
}

const LOOKS_EVERY_MS = 25;

const pause = (): Promise<undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(undefined), LOOKS_EVERY_MS));

interface ServiceParts {
  readonly container: RunningContainer;
  readonly address: Address | undefined;
  readonly port: number | undefined;
  dispose(): Promise<void>;
}

function serviceOf(engine: Engine, { container, address, port, dispose }: ServiceParts): Service {
  const { id, name, ended } = container;
  return {
    id,
    name,
    port,
    get address() {
      if (address === undefined)
        throw new TypeError(`container ${name} has no address: say at which port it listens ("port")`);
      return address;
    },
    ended,
    logs: (options) => container.logs(options),
    execute: (...command) => engine.execute(id, command),
    [Symbol.asyncDispose]: dispose,
  };
}
