/**
 * Our changes to a kernel's source: a folder for each, in the order of their names, with a `default.patch` and variants for
 * versions that look different (images/linux/README.md). Which one is right, the source itself tells: the first that fits.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, SourceTree } from './source-tree.js';
import { compareVersions } from './version.js';

/** Lines may have moved, and blanks changed: our patches are for many releases. */
const FITTING = ['-p1', '--fuzz=3', '--ignore-whitespace', '--force', '--no-backup-if-mismatch'] as const;
/** In the folder of a patch that not every version needs; holds the sentence that says why. */
const OPTIONAL = 'optional';

/** Applies all to a tree; gives the text of those that were. BuildError names one that does not fit. */
export async function applyPatches(tree: SourceTree, folder: string, bench: Bench): Promise<string> {
  bench.onStep({ doing: 'patching' });
  const applied: string[] = [];
  for (const name of foldersIn(folder)) {
    const file = await applyOne(tree, join(folder, name), bench);
    if (file !== undefined) applied.push(readFileSync(file, 'utf8'));
    else if (existsSync(join(folder, name, OPTIONAL))) bench.workshop.note(`${name} is not for this version`);
    else
      throw bench.workshop.failure(
        `Linux ${tree.release} has changed where our patch ${name} wants to: no variant of it fits`,
      );
  }
  return applied.join('\n');
}

const foldersIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** The variant that fitted. */
async function applyOne(tree: SourceTree, folder: string, { workshop }: Bench): Promise<string | undefined> {
  for (const variant of variantsOf(readdirSync(folder))) {
    const file = join(folder, variant);
    const apply = (...options: readonly string[]) =>
      workshop.run('patch', [...FITTING, ...options, '-i', file], { cwd: tree.folder });
    if ((await apply('--dry-run')).failed) continue;
    const ended = await apply();
    if (ended.failed) throw workshop.failure(`the patch ${variant} of ${folder} could not be applied`, ended);
    return file;
  }
  return undefined;
}

/** In the order in which they are tried: the default, then that of the newest version first. */
export function variantsOf(files: readonly string[]): readonly string[] {
  const version = (file: string): string => file.slice(0, -'.patch'.length);
  const variants = files.filter((file) => /^\d[\d.]*\.patch$/.test(file));
  return [
    ...files.filter((file) => file === 'default.patch'),
    ...variants.sort((a, b) => compareVersions(version(b), version(a))),
  ];
}
