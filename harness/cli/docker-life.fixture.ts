/** For tests of the command with a Docker engine: lastack as a process of its own, and what of it is in the engine, in namespaces and among processes. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Engine, EngineError, imageName } from '../docker/index.js';
import { type NetworkNamespace, startOfProcess } from '../sys/index.js';
import { type Ended, ended, MAIN, start } from './spawned.fixture.js';

/** For a `before` hook: an engine with these images of ours; skips, and says why, where there is none. */
export async function needsEngine(
  context: Mocha.Context,
  images: readonly Parameters<typeof imageName>[0][],
): Promise<Engine> {
  let engine: Engine | undefined;
  try {
    engine = await Engine.connect();
    for (const image of images)
      if (!(await engine.hasImage(imageName(image))))
        throw new EngineError('no-image', `"lastack images build" has not made ${imageName(image)}`);
    return engine;
  } catch (error) {
    await engine?.[Symbol.asyncDispose]();
    if (!(error instanceof EngineError)) throw error;
    process.stderr.write(`skipped: ${error.message}\n`);
    return context.skip();
  }
}

/** What is there of one lastack, whichever process asks. */
export interface Footprint {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  /** Processes that look after what it made. */
  readonly guards: readonly string[];
}

export const isNothing = (footprint: Footprint): boolean =>
  Object.values(footprint).every((parts: readonly string[]) => parts.length === 0);

const LOOKS_EVERY_MS = 100;
const WITHIN_MS = 30_000;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when it holds; rejects, with what was waited for, when it does not within half a minute. */
export async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} did not come within ${WITHIN_MS} ms`);
    await pause(LOOKS_EVERY_MS);
  }
}

/** lastack as a process of its own. */
export class Living {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #engine: Engine;
  /** Its pid and start stand in what it makes, as in the label of `lastack clean`. */
  readonly #owner: string;
  readonly #runs = new Set<string>();
  #said = '';

  constructor(
    engine: Engine,
    args: readonly string[],
    options: { readonly folder: string; readonly env?: Readonly<Record<string, string>> },
    namespace?: NetworkNamespace,
  ) {
    this.#engine = engine;
    const begin = (): ChildProcess => start(process.execPath, [MAIN, ...args], options);
    this.child = namespace === undefined ? begin() : namespace.run(begin);
    this.#owner = `:${this.pid}:${startOfProcess(this.pid) ?? ''}`;
    this.child.stdout?.on('data', (text: unknown) => {
      this.#said += String(text);
    });
    this.ended = ended(this.child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves when it has said so; rejects, with what it said, when it has ended before. */
  async says(words: RegExp): Promise<void> {
    await until(() => this.isOver || words.test(this.#said), String(words));
    if (words.test(this.#said)) return;
    const { code, stdout, stderr } = await this.ended;
    throw new Error(`it ended with ${code} before it said ${words}: ${stdout}${stderr}`);
  }

  /** The id of the container that it made for this purpose, once it runs. */
  async container(purpose: string): Promise<string> {
    let id: string | undefined;
    await until(async () => {
      const mine = await this.#containers();
      id = mine.find((each) => each.Labels['lastack.purpose'] === purpose && each.State === 'running')?.Id;
      return id !== undefined || this.isOver;
    }, `its container "${purpose}"`);
    if (id === undefined)
      throw new Error(`it ended before it had a ${purpose}: ${(await this.ended).stderr}`);
    return id;
  }

  async footprint(): Promise<Footprint> {
    const containers = await this.#containers();
    const networks = (await this.#engine.docker.listNetworks()).filter(({ Labels }) => this.#isMine(Labels));
    for (const { Labels } of [...containers, ...networks]) this.#runs.add(Labels?.['lastack.run'] ?? '');
    return {
      containers: containers.flatMap(({ Names }) => Names),
      networks: networks.map(({ Name }) => Name),
      guards: [...this.#runs].flatMap(guardsOf),
    };
  }

  async #containers() {
    const all = await this.#engine.docker.listContainers({ all: true });
    return all.filter(({ Labels }) => this.#isMine(Labels));
  }

  #isMine(labels: Readonly<Record<string, string>> | undefined): boolean {
    return labels?.['lastack.owner']?.endsWith(this.#owner) ?? false;
  }
}

const guardsOf = (runId: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('guard-main.js') && line.includes(runId);
    } catch {
      return false;
    }
  });

/** The rules and queueing disciplines of a namespace, without counters, and without the empty chains that iptables keeps. */
export function rulesIn(namespace: NetworkNamespace): readonly string[] {
  const run = (tool: string, ...args: readonly string[]): readonly string[] =>
    namespace.run(() => execFileSync(tool, args, { encoding: 'utf8', stdio: 'pipe' })).split('\n');
  return [
    ...['iptables-save', 'ip6tables-save']
      .flatMap((tool) => run(tool))
      .filter((line) => /^-A|lastack/.test(line)),
    ...run('nft', '-s', 'list', 'ruleset').filter((line) => line.includes('lastack')),
    ...run('tc', 'qdisc', 'show').filter((line) => line !== ''),
  ];
}
