/**
 * What a kernel is made with besides its source: our patches, our configuration, and the rules of building. A kernel that
 * was built with another recipe is not used.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Raised when the way of building changes what is built though no file of the recipe does. */
const RULES = 1;

/** The package's folder of images; the compiled harness lies two folders below the package, and a level deeper here. */
export const imagesFolder = (): string => fileURLToPath(new URL('../../../../images', import.meta.url));
/** Patches and configuration of User-Mode Linux. */
export const linuxFolder = (): string => join(imagesFolder(), 'linux');

/** Sixteen hexadecimal digits that change with any patch, the configuration, or the rules of building. */
export function currentRecipe(folder: string = linuxFolder()): string {
  const hash = createHash('sha256').update(`rules ${RULES}\n`);
  for (const file of recipeFiles(folder))
    hash
      .update(`${relative(folder, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** All files but what is written for people, in an order that does not depend on the machine. */
function recipeFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
