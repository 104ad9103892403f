/**
 * Our changes to a kernel's source: one folder for each, with a variant for each range of versions that it looks different in.
 * Which variant is right, the source itself tells: the first that fits it, newest version first.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, SourceTree } from './source-tree.js';

/** Applies all; gives the text of what was applied. */
export async function applyPatches(
  tree: SourceTree,
  folder: string,
  { workshop, onStep }: Bench,
): Promise<string> {
  onStep({ doing: 'patching' });
  const applied: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    const variants = readdirSync(join(folder, name))
      .filter((each) => each.endsWith('.patch'))
      .sort()
      .reverse();
    let done = false;
    for (const variant of variants) {
      const args = ['-p1', '--forward', '--batch', '-i', join(folder, name, variant)];
      if ((await workshop.run('patch', ['--dry-run', ...args], { cwd: tree.folder })).failed) continue;
      await workshop.run('patch', args, { cwd: tree.folder });
      applied.push(readFileSync(join(folder, name, variant), 'utf8'));
      done = true;
      break;
    }
    if (!done) throw workshop.failure(`no variant of the patch ${name} fits Linux ${tree.release}`);
  }
  return applied.join('');
}
