/** A Docker engine: what lastack makes in it, finds in it, and takes away again. */
import { randomBytes } from 'node:crypto';
import type { Agent } from 'node:http';
import type Dockerode from 'dockerode';
import { type AdoptedContainer, adoptContainer } from './adopt-container.js';
import { limited } from './call-limit.js';
import { type ComposeService, projectServices } from './compose-project.js';
import { type RunningContainer, startContainer } from './container.js';
import { type ContainerSpec, type Named, purposeWord } from './container-spec.js';
import { type EngineOptions, engineAddress, publishedHost } from './engine-address.js';
import { openClient } from './engine-client.js';
import { EngineError, imageMissing } from './engine-error.js';
import { type Executed, executeIn } from './execute.js';
import { type FoundContainer, findContainer, type NameKind } from './find-container.js';
import { type Guard, startGuard } from './guard.js';
import { isOfThisMachine } from './locality.js';
import { type EngineNetwork, makeNetwork, type NetworkOptions } from './network.js';
import { LABEL, ownerLabel, thisProcess } from './owner-label.js';
import { surroundings } from './surroundings.js';
import { type EngineSwept, sweepEngine } from './sweep.js';

/** What an engine says of itself. */
export interface EngineFacts {
  readonly version: string;
  readonly api: string;
  readonly storageDriver: string;
  readonly cgroup: string;
}

interface Opened {
  readonly docker: Dockerode;
  readonly agent: Agent;
  readonly text: string;
  readonly host: string;
  readonly options: EngineOptions;
  readonly isLocal: boolean;
  readonly facts: EngineFacts;
}

/** One for all engines of this process. */
const RUN_ID = randomBytes(4).toString('hex');
let made = 0;

export class Engine implements AsyncDisposable {
  readonly docker: Dockerode;
  readonly text: string;
  readonly runId = RUN_ID;
  /** Where the ports are that its containers publish. */
  readonly host: string;
  readonly isLocal: boolean;
  readonly facts: EngineFacts;
  readonly #agent: Agent;
  readonly #options: EngineOptions;
  readonly #owner = thisProcess();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #containers = new Set<RunningContainer>();
  readonly #networks = new Set<EngineNetwork>();
  #guard: Guard | undefined;
  #isClosed = false;

  private constructor({ docker, agent, text, host, options, isLocal, facts }: Opened) {
    this.docker = docker;
    this.#agent = agent;
    this.text = text;
    this.host = host;
    this.#options = options;
    this.isLocal = isLocal;
    this.facts = facts;
  }

  static async connect(options: EngineOptions = {}): Promise<Engine> {
    const address = engineAddress(options, surroundings());
    const { docker, agent, text } = await openClient(address);
    try {
      const info: EngineInfo = await limited({ engine: text, what: 'describe itself' }, () => docker.info());
      const isUnixSocket = address.kind === 'unix';
      return new Engine({
        docker,
        agent,
        text,
        host: publishedHost(address),
        options,
        isLocal: isOfThisMachine({ isUnixSocket, name: info.Name, kernel: info.KernelVersion }),
        facts: {
          version: info.ServerVersion,
          api: (docker.modem as unknown as { readonly version: string }).version.slice(1),
          storageDriver: info.Driver,
          cgroup: `v${info.CgroupVersion ?? '1'}`,
        },
      });
    } catch (error) {
      agent.destroy();
      throw error;
    }
  }

  async hasImage(name: string): Promise<boolean> {
    try {
      await limited({ engine: this.text, what: `look for the image ${name}`, image: name }, (abortSignal) =>
        // Only its types do not know the signal.
        this.docker.getImage(name).inspect({ abortSignal } as Dockerode.ImageInspectOptions),
      );
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'no-image') return false;
      throw error;
    }
  }

  /** Rejects with the sentence that says what to do where it is not there. */
  async needImage(name: string): Promise<void> {
    if (!(await this.hasImage(name))) throw new EngineError('no-image', imageMissing(name, this.text));
  }

  createNetwork(options: NetworkOptions): Promise<EngineNetwork> {
    return this.#making(async () => {
      this.#guarded();
      const named = this.#named(options.purpose, {});
      const network = await makeNetwork(this, options, {
        ...named,
        onRemoved: () => this.#networks.delete(network),
      });
      this.#networks.add(network);
      return network;
    });
  }

  start(spec: ContainerSpec): Promise<RunningContainer> {
    return this.#making(async () => {
      await this.needImage(spec.image);
      // With our streams it ends when we do.
      if (spec.stdio !== true) this.#guarded();
      const named = this.#named(spec.purpose, spec.labels ?? {});
      const container = await startContainer(this, spec, {
        ...named,
        onRemoved: () => this.#containers.delete(container),
      });
      this.#containers.add(container);
      return container;
    });
  }

  /** Before anything is made that would stay: there is no instant at which our end would leave it. */
  #guarded(): void {
    this.#guard ??= startGuard(this.runId, this.#options);
  }

  /** What is under way when this engine is closed is waited for, and removed with the rest. */
  async #making<T>(make: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new TypeError(`${this.text} was closed: connect to it anew`);
    const making = make();
    this.#underWay.add(making);
    try {
      return await making;
    } finally {
      this.#underWay.delete(making);
    }
  }

  /** A container of anybody's, by its name, its id or the beginning of that, or its compose service (`web`, `shop/web`). */
  find(name: string, as?: NameKind): Promise<FoundContainer> {
    return findContainer(this, name, as);
  }

  /** What compose has started of a project. */
  services(project: string): Promise<readonly ComposeService[]> {
    return projectServices(this, project);
  }

  /** The standard streams of a container that somebody else has started; it is not ours to remove. */
  adopt(found: FoundContainer): Promise<AdoptedContainer> {
    return adoptContainer(this, found);
  }

  /** Runs a program in a container that runs, to its end. */
  execute(id: string, command: readonly string[]): Promise<Executed> {
    return executeIn(this.docker, { engine: this.text, id, command });
  }

  sweep(): Promise<EngineSwept> {
    return sweepEngine(this.docker, this.text, this.#owner);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await Promise.allSettled(this.#underWay);
      await allDisposed(this.#containers).finally(() => allDisposed(this.#networks));
      // What could not be removed is still the guard's.
      this.#guard?.letGo();
    } finally {
      this.#agent.destroy();
    }
  }

  #named(purpose: string, labels: Readonly<Record<string, string>>): Named {
    made += 1;
    return {
      name: `lastack-${this.runId}-${made}-${purposeWord(purpose)}`,
      labels: {
        ...labels,
        [LABEL.run]: this.runId,
        [LABEL.owner]: ownerLabel(this.#owner),
        [LABEL.purpose]: purpose,
      },
    };
  }
}

/** All of them, whatever fails; the first failure is told. */
async function allDisposed(all: Iterable<AsyncDisposable>): Promise<void> {
  const endings = await Promise.allSettled([...all].map((each) => each[Symbol.asyncDispose]()));
  for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
}

interface EngineInfo {
  readonly Name: string;
  readonly KernelVersion: string;
  readonly ServerVersion: string;
  readonly Driver: string;
  readonly CgroupVersion?: string;
}
