/** How each image is made: what is put beside its Dockerfile, or what is imported where no registry answers. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type Dockerode from 'dockerode';
import { agentBinary, BuildError, type OnStep, type Workshop } from '../../uml/index.js';
import { bootstrapBase } from './bootstrap.js';
import { defaultOf } from './dockerfile.js';
import { engineWords } from './engine-stream.js';
import { type ImageBuild, LABEL } from './image-build.js';
import { folderOf, type ImageKind, imageName } from './kinds.js';
import { IS_LEFT_OUT, ownFiles, runtimePackages } from './package-files.js';
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
      return built(kind, making, async (folder) => {
        making.onStep({ doing: 'compiling the agent' });
        cpSync(await agentBinary(), join(folder, 'agent'));
        return { way: 'with the agent, compiled here' };
      });
    case 'wire':
      return built(kind, making, async (folder) => {
        making.onStep({ doing: 'gathering files' });
        gatherPackage(join(folder, 'lastack'));
        return onBase(making);
      });
    case 'tools':
      return built(kind, making, async () => onBase(making));
  }
}

interface Prepared {
  readonly way: string;
  readonly args?: Readonly<Record<string, string>>;
}

function onBase({ repository }: Making): Prepared {
  const base = imageName('base', repository);
  return { way: `on ${base}`, args: { BASE: base } };
}

async function built(
  kind: ImageKind,
  { workshop, build }: Making,
  prepare: (folder: string) => Promise<Prepared>,
): Promise<Made> {
  const folder = join(workshop.folder, 'context');
  cpSync(folderOf(kind), folder, { recursive: true });
  const { way, args = {} } = await prepare(folder);
  return { id: await build.build({ folder, args }, { [LABEL.way]: way }), way };
}

/** What is imported where the registry has nothing for us. */
export interface Import {
  readonly tarFile: string;
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
    const { tarFile, way } = await otherwise(making, dockerfile);
    return { id: await build.import(tarFile, dockerfile, { [LABEL.way]: way }), way };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError(`${error.message}; and it was not to be had from a registry: ${reason}`);
  }
}

/** This package and what it needs to run, without what is for people and compilers. */
function gatherPackage(folder: string): void {
  for (const { from, to } of ownFiles()) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    cpSync(from, join(folder, to));
  }
  for (const { from, to } of runtimePackages())
    cpSync(from, join(folder, to), {
      recursive: true,
      // Those below it are placed by themselves.
      filter: (file) => !IS_LEFT_OUT.test(file) && file !== join(from, 'node_modules'),
    });
}
