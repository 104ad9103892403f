/** The images of this project: what there is, and how each is called. The folder of an image is `images/<kind>`. */
import { join } from 'node:path';
import { packageVersion } from '../../text/index.js';
import { imagesFolder } from '../../uml/index.js';
import { recipeOf } from './recipe.js';

/** In the order in which they are built: what others stand on comes first. */
export const IMAGE_KINDS = ['base', 'endpoint', 'wire', 'tools', 'toxiproxy'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** What their names begin with, but for tests. */
export const REPOSITORY = 'lastack';

export const folderOf = (kind: ImageKind): string => join(imagesFolder(), kind);

export const repositoryOf = (kind: ImageKind, repository: string = REPOSITORY): string =>
  `${repository}/${kind}`;

/** `lastack/endpoint:0.1.0`. The base is called by its recipe, so that checkouts of different age can share an engine. */
export const imageName = (kind: ImageKind, repository?: string): string =>
  `${repositoryOf(kind, repository)}:${kind === 'base' ? recipeOf(kind) : packageVersion()}`;

/** What the image of this kind is built from. */
export const isOnBase = (kind: ImageKind): boolean => kind === 'wire' || kind === 'tools';

/** These and what they stand on, each once, in the order in which they are built. */
export const withBases = (kinds: readonly ImageKind[]): readonly ImageKind[] =>
  IMAGE_KINDS.filter((kind) => kinds.includes(kind) || (kind === 'base' && kinds.some(isOnBase)));
