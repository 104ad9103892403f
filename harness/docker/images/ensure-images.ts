/** Makes images that are missing or out of date; each but once, however many ask for it at the same time. */
import { machine } from 'node:os';
import type Dockerode from 'dockerode';
import { BuildError, type Step, Workshop } from '../../uml/index.js';
import { engineWords } from './engine-stream.js';
import { ImageBuild, LABEL, sweepBuilds } from './image-build.js';
import { stateOf } from './images-state.js';
import { type ImageKind, imageName, REPOSITORY, withBases } from './kinds.js';
import { recipeOf } from './recipe.js';
import { make } from './ways.js';

export type OnImageStep = (kind: ImageKind, step: Step) => void;

export interface BuildOptions {
  /** What names begin with; default `lastack`. */
  readonly repository?: string;
  /** Build also what is up to date. */
  readonly force?: boolean;
  /** Ends the build and removes what is on the way. */
  readonly signal?: AbortSignal;
}

export interface BuiltImage {
  readonly kind: ImageKind;
  readonly name: string;
  readonly octets: number;
  /** False: it was there, and up to date. */
  readonly isNew: boolean;
  readonly way: string;
}

/** These and what they stand on. BuildError says in one sentence what is missing or went wrong. */
export async function ensureImages(
  docker: Dockerode,
  kinds: readonly ImageKind[],
  onProgress: OnImageStep = () => {},
  options: BuildOptions = {},
): Promise<void> {
  for (const kind of withBases(kinds)) await ensureImage(docker, kind, onProgress, options);
}

/** By engine and name: what is under way in this process. */
const underWay = new WeakMap<Dockerode, Map<string, Promise<BuiltImage>>>();

/** What it stands on must be there. */
export function ensureImage(
  docker: Dockerode,
  kind: ImageKind,
  onProgress: OnImageStep = () => {},
  options: BuildOptions = {},
): Promise<BuiltImage> {
  const ofEngine = underWay.get(docker) ?? new Map<string, Promise<BuiltImage>>();
  underWay.set(docker, ofEngine);
  const name = imageName(kind, options.repository);
  const begun = ofEngine.get(name);
  if (begun !== undefined) return begun;
  const image = ensure(docker, kind, onProgress, options).finally(() => ofEngine.delete(name));
  ofEngine.set(name, image);
  return image;
}

async function ensure(
  docker: Dockerode,
  kind: ImageKind,
  onProgress: OnImageStep,
  { repository = REPOSITORY, force = false, signal = new AbortController().signal }: BuildOptions,
): Promise<BuiltImage> {
  const name = imageName(kind, repository);
  const before = await stateOf(docker, kind, repository);
  if (before.isUpToDate && !force)
    return { kind, name, octets: before.octets, isNew: false, way: before.way };
  await checkMachine(docker);
  await sweepBuilds(docker);
  await using workshop = new Workshop(`image-${kind}`);
  // Ends the programs that run for it; its disposal at the end finds the rest.
  const stop = (): void => void workshop[Symbol.asyncDispose]();
  signal.addEventListener('abort', stop);
  const onStep = (step: Step): void => onProgress(kind, step);
  try {
    signal.throwIfAborted();
    // What is used, and not what stands there when it is built.
    const labels = { [LABEL.image]: kind, [LABEL.name]: name, [LABEL.recipe]: recipeOf(kind) };
    const build = new ImageBuild(docker, labels, { onStep, signal });
    const { id, way } = await make(kind, { docker, build, workshop, onStep, signal, repository });
    await build.name(id, name);
    const { octets } = await stateOf(docker, kind, repository);
    return { kind, name, octets, isNew: true, way };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BuildError) throw error;
    throw workshop.failure(`the image ${name} cannot be built: ${engineWords(error)}`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The agent, Node's own libraries and Debian are those of this machine's kind of processor. */
async function checkMachine(docker: Dockerode): Promise<void> {
  const { Architecture: engines } = await docker.info();
  if (engines !== machine())
    throw new BuildError(
      `the Docker engine runs on ${engines} and this machine is ${machine()}: build the images where both are the same, then "docker save" and "docker load" carry them over`,
    );
}
