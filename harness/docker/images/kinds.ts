/** The images of this project: what there is, and how each is called. The folder of an image is `images/<kind>`. */
import { join } from 'node:path';
import { packageVersion } from '../../text/index.js';
import { imagesFolder } from '../../uml/index.js';
import { recipeOf } from './recipe.js';

/** In the order in which they are built: what others stand on comes first. */
export const IMAGE_KINDS = ['base', 'endpoint', 'wire', 'stack', 'tools', 'toxiproxy'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** What their names begin with, but for tests. */
export const REPOSITORY = 'lastack';

export const folderOf = (kind: ImageKind): string => join(imagesFolder(), kind);

export const repositoryOf = (kind: ImageKind, repository: string = REPOSITORY): string =>
  `${repository}/${kind}`;

/** `lastack/endpoint:0.1.0`. The base is called by its recipe, so that checkouts of different age can share an engine. */
export const imageName = (kind: ImageKind, repository?: string): string =>
  `${repositoryOf(kind, repository)}:${kind === 'base' ? recipeOf(kind) : packageVersion()}`;

const BASES: Partial<Record<ImageKind, ImageKind>> = { wire: 'base', stack: 'wire', tools: 'base' };

/** What the image of this kind is built from, where it is one of ours. */
export const baseOf = (kind: ImageKind): ImageKind | undefined => BASES[kind];

/** These and what they stand on, each once, in the order in which they are built. */
export function withBases(kinds: readonly ImageKind[]): readonly ImageKind[] {
  const all = new Set<ImageKind>();
  for (const kind of kinds)
    for (let each: ImageKind | undefined = kind; each !== undefined; each = baseOf(each)) all.add(each);
  return IMAGE_KINDS.filter((kind) => all.has(kind));
}
