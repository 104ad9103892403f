/** Which images an engine has, how old they are, and their removal. */
import type Dockerode from 'dockerode';
import { BuildError } from '../../uml/index.js';
import { engineWords, isStatus } from './engine-stream.js';
import { LABEL } from './image-build.js';
import { IMAGE_KINDS, type ImageKind, imageName, REPOSITORY, repositoryOf } from './kinds.js';
import { recipeOf } from './recipe.js';

export interface ImageState {
  readonly kind: ImageKind;
  readonly name: string;
  readonly isThere: boolean;
  /** It was made from the files that are here now. */
  readonly isUpToDate: boolean;
  readonly octets: number;
  /** ISO 8601; empty for one that is not there. */
  readonly createdAt: string;
  /** How it was made, as in "… from debian:trixie-slim, pulled". */
  readonly way: string;
}

export const imagesState = (docker: Dockerode, repository?: string): Promise<readonly ImageState[]> =>
  Promise.all(IMAGE_KINDS.map((kind) => stateOf(docker, kind, repository)));

export async function stateOf(
  docker: Dockerode,
  kind: ImageKind,
  repository: string = REPOSITORY,
): Promise<ImageState> {
  const name = imageName(kind, repository);
  try {
    const { Size, Created, Config } = await docker.getImage(name).inspect();
    const labels = Config.Labels ?? {};
    const isUpToDate = labels[LABEL.recipe] === recipeOf(kind);
    const way = labels[LABEL.way] ?? 'made by somebody else';
    return { kind, name, isThere: true, isUpToDate, octets: Size, createdAt: Created, way };
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    return { kind, name, isThere: false, isUpToDate: false, octets: 0, createdAt: '', way: '' };
  }
}

/** All versions of these; their names. What stands on others goes first. BuildError when a container needs one. */
export async function removeImages(
  docker: Dockerode,
  kinds: readonly ImageKind[] = IMAGE_KINDS,
  repository: string = REPOSITORY,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const kind of IMAGE_KINDS.toReversed().filter((each) => kinds.includes(each))) {
    const reference = [repositoryOf(kind, repository)];
    // One image may have names that are not ours.
    for (const { RepoTags } of await docker.listImages({ filters: { reference } }))
      for (const name of (RepoTags ?? []).filter((tag) => tag.startsWith(`${reference}:`))) {
        await remove(docker, name);
        removed.push(name);
      }
  }
  return removed;
}

async function remove(docker: Dockerode, name: string): Promise<void> {
  try {
    await docker.getImage(name).remove();
  } catch (error) {
    if (isStatus(error, 404)) return;
    if (!isStatus(error, 409)) throw error;
    throw new BuildError(`the image ${name} is in use, remove what uses it first: ${engineWords(error)}`);
  }
}
