/** What an image is made from, as a few digits: an image with other digits on its label is out of date. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentName, imagesFolder } from '../../uml/index.js';
import type { ImageKind } from './kinds.js';
import { filesIn, ownFiles, runtimePackages } from './package-files.js';

/** Raised when the way of building changes what is built though no file does. */
const RULES = 'rules 1';

/** Sixteen hexadecimal digits. */
export function recipeOf(kind: ImageKind, images: string = imagesFolder()): string {
  const own = filesIn(join(images, kind), (path) => !path.endsWith('.md'));
  const files = own.flatMap(({ path, content }) => [path, content]);
  return contentName(RULES, ...files, ...others(kind, images));
}

/** What it is made from besides its own folder. */
function others(kind: ImageKind, images: string): readonly (string | Uint8Array)[] {
  switch (kind) {
    case 'endpoint':
      return [readFileSync(join(images, 'agent', 'agent.c'))];
    case 'tools':
      return [recipeOf('base', images)];
    case 'stack':
      return [recipeOf('wire', images)];
    case 'wire':
      return [
        recipeOf('base', images),
        ...ownFiles().flatMap(({ from, to }) => [to, readFileSync(from)]),
        ...runtimePackages().map(({ to, version }) => `${to} ${version}`),
      ];
    case 'base':
    case 'toxiproxy':
      return [];
  }
}
