/** Containers that this process makes: started whole or not at all, watched to their end, and removed. */
import type Dockerode from 'dockerode';
import { type LimitedDoing, limited } from './call-limit.js';
import { awaitingEnd, type Ended, type EndWatch } from './container-end.js';
import { type ContainerSpec, createBody, fileFolders, type Named } from './container-spec.js';
import { Demultiplexer } from './demultiplexer.js';
import { EngineError } from './engine-error.js';
import { lastWords } from './last-words.js';
import type { EngineNetwork } from './network.js';
import { attachStreams, type StandardStreams, type Stdio } from './standard-streams.js';
import { tar } from './tar.js';

export interface RunningContainer extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** Of its first process, as the engine's machine counts; 0 when it has ended at once. */
  readonly pid: number;
  /** On the network of its spec, or on one of those that it is in besides. */
  ip(version: 4 | 6, on?: Pick<EngineNetwork, 'name'>): string;
  /** Of the engine's machine, which leads to that port of the container; undefined where its spec publishes none. */
  publishedPort(container: number): number | undefined;
  /** Throws a TypeError without `stdio: true`. */
  readonly stdio: Stdio;
  /** Resolves when it ends, by itself or removed. */
  readonly ended: Promise<Ended>;
  /** What it has said; with `stdio` only what it said to its standard error. */
  logs(options?: { readonly tailLines?: number }): Promise<string>;
  /** Rejects with an EngineError that has the last lines it said. */
  healthy(options: { readonly withinMs: number }): Promise<void>;
  kill(signal: string): Promise<void>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
}

export interface ContainerMaker {
  readonly docker: Dockerode;
  readonly text: string;
}

export interface Registered extends Named {
  onRemoved(): void;
}

interface Parts {
  readonly docker: Dockerode;
  readonly engine: string;
  readonly id: string;
  readonly named: Registered;
  readonly spec: ContainerSpec;
  readonly streams: StandardStreams;
  readonly end: EndWatch;
  readonly found: Dockerode.ContainerInspectInfo | undefined;
}

/** Rejects with an `EngineError`, and leaves nothing. */
export async function startContainer(
  { docker, text }: ContainerMaker,
  spec: ContainerSpec,
  named: Registered,
): Promise<RunningContainer> {
  const doing = (what: string): LimitedDoing => ({
    engine: text,
    what: `${what} container ${named.name}`,
    image: spec.image,
    sysctls: Object.keys(spec.sysctls ?? {}),
    capabilities: spec.capAdd ?? [],
    isPrivileged: spec.privileged ?? false,
  });
  const { id } = await limited(doing('make'), (abortSignal) =>
    docker.createContainer({ ...createBody(spec, named), abortSignal }),
  );
  let streams: StandardStreams | undefined;
  try {
    const end = await awaitingEnd(docker, id, { name: named.name, doing: doing('watch') });
    const hasStdio = spec.stdio ?? false;
    streams = await attachStreams(docker, id, { hasStdio, doing: doing('attach to') });
    await putFiles(docker, id, spec, doing('put files into'));
    await joinNetworks(docker, id, spec, doing('bring into its networks'));
    await limited(doing('start'), (abortSignal) => docker.getContainer(id).start({ abortSignal }));
    const found = await inspected(docker, id, doing('look at'));
    return new Container({ docker, engine: text, id, named, spec, streams, end, found });
  } catch (error) {
    streams?.close();
    await removeContainer(docker, id, doing('remove'));
    throw error;
  }
}

async function putFiles(
  docker: Dockerode,
  id: string,
  spec: ContainerSpec,
  doing: LimitedDoing,
): Promise<void> {
  const { files = [] } = spec;
  if (files.length === 0) return;
  const folders = fileFolders(spec);
  const into = folders.length === 0 ? ['/'] : folders;
  for (const folder of into) {
    const here = files
      .filter(({ path }) => folder === '/' || path.slice(0, path.lastIndexOf('/')) === folder)
      .map((file) => ({ ...file, path: folder === '/' ? file.path : file.path.slice(folder.length) }));
    await limited(doing, (abortSignal) =>
      docker.getContainer(id).putArchive(tar(here), { path: folder, abortSignal }),
    );
  }
}

/** An engine makes a container in one network only. */
async function joinNetworks(
  docker: Dockerode,
  id: string,
  { network }: ContainerSpec,
  doing: LimitedDoing,
): Promise<void> {
  const also = typeof network === 'object' && 'of' in network ? (network.also ?? []) : [];
  for (const { name } of also)
    await limited(doing, (abortSignal) =>
      // Only its types do not know the signal.
      docker.getNetwork(name).connect({ Container: id, abortSignal } as Dockerode.NetworkConnectOptions),
    );
}

/** Undefined where it has ended already, and is gone. */
async function inspected(
  docker: Dockerode,
  id: string,
  doing: LimitedDoing,
): Promise<Dockerode.ContainerInspectInfo | undefined> {
  try {
    return await limited(doing, (abortSignal) => docker.getContainer(id).inspect({ abortSignal }));
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'gone') return undefined;
    throw error;
  }
}

const LOOKS_EVERY_MS = 50;
/** The engine removes in the background what has ended by itself. */
const REMOVED_WITHIN_MS = 20_000;

/** By force, with its nameless volumes; resolves when it is gone, and does not care whether it was before. */
export async function removeContainer(docker: Dockerode, id: string, doing: LimitedDoing): Promise<void> {
  try {
    await limited(doing, (abortSignal) =>
      docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
    );
  } catch (error) {
    const isUnderWay =
      error instanceof EngineError && (error.kind === 'gone' || /in progress/.test(error.message));
    if (!isUnderWay) throw error;
  }
  const deadlineMs = performance.now() + REMOVED_WITHIN_MS;
  while ((await inspected(docker, id, doing)) !== undefined) {
    if (performance.now() > deadlineMs)
      throw new EngineError(
        'failed',
        `${doing.engine} did not ${doing.what} within ${REMOVED_WITHIN_MS / 1000} s: see what holds it (docker ps -a)`,
      );
    await sleep(LOOKS_EVERY_MS);
  }
}

class Container implements RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly #parts: Parts;
  #removal: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.id = parts.id;
    this.name = parts.named.name;
    this.pid = parts.found?.State.Pid ?? 0;
    this.ended = parts.end.ended;
  }

  get #handle(): Dockerode.Container {
    return this.#parts.docker.getContainer(this.id);
  }

  #doing(what: string): LimitedDoing {
    return { engine: this.#parts.engine, what: `${what} container ${this.name}` };
  }

  get stdio(): Stdio {
    const { stdio } = this.#parts.streams;
    if (stdio === undefined)
      throw new TypeError(`container ${this.name} was started without stdio: say "stdio: true" in its spec`);
    return stdio;
  }

  ip(version: 4 | 6, on?: Pick<EngineNetwork, 'name'>): string {
    const { network } = this.#parts.spec;
    const own = typeof network === 'object' && 'of' in network ? network.of.name : 'bridge';
    const name = on?.name ?? own;
    const settings = this.#parts.found?.NetworkSettings.Networks[name];
    const address = version === 4 ? settings?.IPAddress : settings?.GlobalIPv6Address;
    if (address !== undefined && address !== '') return address;
    throw new EngineError(
      'refused',
      `container ${this.name} has no IPv${version} address on the network ${name}: put it into one that has (ipVersion ${version})`,
    );
  }

  publishedPort(container: number): number | undefined {
    const [binding] = this.#parts.found?.NetworkSettings.Ports[`${container}/tcp`] ?? [];
    return binding === undefined ? undefined : Number(binding.HostPort);
  }

  async logs({ tailLines }: { readonly tailLines?: number } = {}): Promise<string> {
    const { streams, spec } = this.#parts;
    if (spec.stdio === true) return streams.tail.text(tailLines);
    try {
      const text = await limited(this.#doing('read the log of'), (abortSignal) =>
        this.#handle.logs({ stdout: true, stderr: true, tail: tailLines ?? ('all' as never), abortSignal }),
      );
      return demultiplexed(text);
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'gone') return streams.tail.text(tailLines);
      throw error;
    }
  }

  async healthy({ withinMs }: { readonly withinMs: number }): Promise<void> {
    if (this.#parts.spec.healthcheck === undefined)
      throw new TypeError(`container ${this.name} has no healthcheck in its spec`);
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const found = await inspected(this.#parts.docker, this.id, this.#doing('look at'));
      const status = found?.State.Health?.Status;
      if (status === 'healthy') return;
      if (found === undefined || !found.State.Running)
        throw await this.#unhealthy('gone', (await this.ended).sentence);
      if (status === 'unhealthy')
        throw await this.#unhealthy('failed', `container ${this.name} is not healthy`);
      if (performance.now() >= deadlineMs)
        throw await this.#unhealthy('failed', `container ${this.name} was not healthy within ${withinMs} ms`);
      await sleep(LOOKS_EVERY_MS);
    }
  }

  async #unhealthy(kind: 'gone' | 'failed', sentence: string): Promise<EngineError> {
    await Promise.race([kind === 'gone' ? this.#parts.streams.drained : undefined, sleep(LOOKS_EVERY_MS)]);
    return new EngineError(kind, `${sentence}; ${await lastWords(this)}`);
  }

  async kill(signal: string): Promise<void> {
    await limited(this.#doing(`send ${signal} to`), (abortSignal) =>
      this.#handle.kill({ signal, abortSignal }),
    );
  }

  async pause(): Promise<void> {
    await limited(this.#doing('pause'), (abortSignal) => this.#handle.pause({ abortSignal }));
  }

  async unpause(): Promise<void> {
    await limited(this.#doing('unpause'), (abortSignal) => this.#handle.unpause({ abortSignal }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #remove(): Promise<void> {
    const { docker, end, streams, named } = this.#parts;
    end.isOurs();
    await removeContainer(docker, this.id, this.#doing('remove'));
    await this.ended;
    streams.close();
    named.onRemoved();
  }
}

/** The engine's log comes in pieces as the attached streams do. */
function demultiplexed(log: Buffer | NodeJS.ReadableStream): string {
  if (!Buffer.isBuffer(log)) throw new TypeError('a log that is not followed comes as one');
  const pieces = [...new Demultiplexer().pieces(log)].map(({ octets }) => octets);
  return Buffer.concat(pieces).toString('utf8').trimEnd();
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
