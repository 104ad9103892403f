/** Finds what a person has named: a process of this machine, or a container or service of the Docker engine. */
import type { Engine, FoundContainer } from '../docker/index.js';
import {
  closeSharedEngine,
  type FreedTarget,
  NoSuchTarget,
  reachContainer,
  sharedEngine,
  targetOfPid,
  type WirePlace,
} from '../lab/index.js';
import { messageOf } from '../text/index.js';
import { EnvironmentError } from './exit.js';
import { type TargetName, targetName } from './target-name.js';

type Named = Extract<TargetName, { kind: 'named' }>;

/** Rejects with one sentence. A process is not looked for in an engine. */
export async function targetNamed(text: string, place?: WirePlace): Promise<FreedTarget> {
  const name = targetName(text);
  if (name.kind === 'process') {
    const target = targetOfPid(name.pid);
    return { ...target, [Symbol.asyncDispose]: async () => target[Symbol.dispose]() };
  }
  try {
    const engine = await engineFor(name);
    const container = await containerNamed(engine, name);
    const target = await reachContainer(engine, container, place);
    if (container.isPaused) process.stderr.write(`lastack: ${pausedSentence(container)}\n`);
    return {
      ...target,
      async [Symbol.asyncDispose]() {
        await target[Symbol.asyncDispose]();
        await closeSharedEngine();
      },
    };
  } catch (error) {
    await closeSharedEngine();
    throw error;
  }
}

export const pausedSentence = ({ name }: FoundContainer): string =>
  `container ${name} is paused: its kernel answers, its programs do not ("docker unpause ${name}" lets them go on)`;

/** Who has named a process by its command must not be told of an engine alone. */
async function engineFor({ name, as }: Named): Promise<Engine> {
  try {
    return await sharedEngine();
  } catch (error) {
    if (as !== undefined) throw error;
    throw new EnvironmentError(
      `"${name}" is no process id ("pgrep -n ${name}" finds one), and containers cannot be looked for: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Rejects with `NoSuchTarget` where there is none, or more than one. */
export async function containerNamed(engine: Engine, { name, as }: Named): Promise<FoundContainer> {
  try {
    return await engine.find(name, as);
  } catch (error) {
    if (!(error instanceof Error && 'kind' in error && error.kind === 'no-container')) throw error;
    const isUnknown = as === undefined && error.message.includes(' has no ');
    const hint = isUnknown ? ` (a process is named by its id: "pgrep -n ${name}" finds it)` : '';
    throw new NoSuchTarget(`${error.message}${hint}`);
  }
}
