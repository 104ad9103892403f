/** How each image is made: what is put beside its Dockerfile, or what is imported where no registry answers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { agentBinary, BuildError, type OnStep, type Workshop } from '../../uml/index.js';
import type { PlacedFile } from '../engine/index.js';
import { bootstrapBase } from './bootstrap.js';
import { defaultOf } from './dockerfile.js';
import { engineWords } from './engine-stream.js';
import { type ImageBuild, LABEL } from './image-build.js';
import { baseOf, folderOf, type ImageKind, imageName } from './kinds.js';
import { filesIn, packageFiles } from './package-files.js';
import { pull } from './pull.js';
import { toxiproxyServer } from './toxiproxy-server.js';

export interface Making {
  readonly docker: Dockerode;
  readonly build: ImageBuild;
  readonly workshop: Workshop;
  readonly onStep: OnStep;
  readonly signal: AbortSignal;
  readonly repository: string;
}

export interface Made {
  readonly id: string;
  /** Which way it took, as in "… from debian:trixie-slim, pulled". */
  readonly way: string;
}

export function make(kind: ImageKind, making: Making): Promise<Made> {
  switch (kind) {
    case 'base':
      return pulledOr(kind, 'DEBIAN', making, bootstrapBase);
    case 'toxiproxy':
      return pulledOr(kind, 'RELEASED', making, toxiproxyServer);
    case 'endpoint':
      return built(kind, making, async () => {
        making.onStep({ doing: 'compiling the agent' });
        const agent = readFileSync(await agentBinary());
        return {
          files: [{ path: 'agent', content: agent, mode: 0o755 }],
          way: 'with the agent, compiled here',
        };
      });
    case 'wire':
      return built(kind, making, async () => {
        making.onStep({ doing: 'gathering files' });
        return { ...onBase(kind, making), files: packageFiles('lastack') };
      });
    case 'stack':
    case 'tools':
      return built(kind, making, async () => onBase(kind, making));
  }
}

interface Prepared {
  readonly way: string;
  readonly args?: Readonly<Record<string, string>>;
  /** Beside those of its folder. */
  readonly files?: readonly PlacedFile[];
}

function onBase(kind: ImageKind, { repository }: Making): Prepared {
  const base = imageName(baseOf(kind) ?? 'base', repository);
  return { way: `on ${base}`, args: { BASE: base } };
}

async function built(kind: ImageKind, { build }: Making, prepare: () => Promise<Prepared>): Promise<Made> {
  const { way, args = {}, files = [] } = await prepare();
  const context = { files: [...filesIn(folderOf(kind)), ...files], args };
  return { id: await build.build(context, { [LABEL.way]: way }), way };
}

/** What is imported where the registry has nothing for us. */
export interface Import {
  /** A tar archive, or the path of one. */
  readonly archive: Buffer | string;
  readonly way: string;
}

async function pulledOr(
  kind: ImageKind,
  arg: string,
  making: Making,
  otherwise: (making: Making, dockerfile: string) => Promise<Import>,
): Promise<Made> {
  const dockerfile = readFileSync(join(folderOf(kind), 'Dockerfile'), 'utf8');
  const from = defaultOf(dockerfile, arg);
  const { docker, onStep, signal, build } = making;
  let reason = await pull(docker, from, { onStep, signal });
  if (reason === undefined)
    try {
      return await built(kind, making, async () => ({ way: `from ${from}, pulled` }));
    } catch (error) {
      signal.throwIfAborted();
      // Such as where containers that build reach no network.
      reason = `nothing can be built on ${from} (${engineWords(error)})`;
    }
  try {
    const { archive, way } = await otherwise(making, dockerfile);
    return { id: await build.import(archive, dockerfile, { [LABEL.way]: way }), way };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError(`${error.message}; and it was not to be had from a registry: ${reason}`);
  }
}
