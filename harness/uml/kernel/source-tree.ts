/** A source in the workshop: unpacked from a tarball, or copied from a tree, without what the build cannot need. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BuildError } from './build-error.js';
import { LEFTOVERS, UNNEEDED } from './needed-files.js';
import type { OnStep } from './steps.js';
import type { Workshop } from './workshop.js';

export interface SourceTree {
  /** In the workshop, ours to change. */
  readonly folder: string;
  /** `6.12.57` */
  readonly release: string;
  /** Where it came from, in words. */
  readonly origin: string;
}

export interface Tarball {
  readonly file: string;
  /** Where it came from, in words. */
  readonly origin: string;
}

/** Where a build happens, and who hears how far it is. */
export interface Bench {
  readonly workshop: Workshop;
  readonly onStep: OnStep;
}

/** The tree or tarball that a person named. */
export async function givenSource(path: string, bench: Bench): Promise<SourceTree> {
  const given = resolve(path);
  const kind = kindOf(given);
  if (kind === 'none')
    throw new BuildError(`the source ${path} cannot be read: name a tree or a tarball of Linux`);
  return kind === 'tree' ? copyTree(given, bench) : unpack({ file: given, origin: given }, bench);
}

function kindOf(path: string): 'tree' | 'tarball' | 'none' {
  try {
    return statSync(path).isDirectory() ? 'tree' : 'tarball';
  } catch {
    return 'none';
  }
}

/** Into the workshop; of a file of the workshop only the tree stays. */
export async function unpack({ file, origin }: Tarball, { workshop, onStep }: Bench): Promise<SourceTree> {
  const folder = join(workshop.folder, 'linux');
  onStep({ doing: 'unpacking the source' });
  mkdirSync(folder);
  const ended = await workshop.run('tar', [
    // xz of one thread takes most of the time; other formats tar knows by itself.
    ...(file.endsWith('.xz') ? ['--use-compress-program=xz -T0'] : []),
    ...UNNEEDED.map((pattern) => `--exclude=${pattern}`),
    ...['--no-same-owner', '--strip-components=1', '-C', folder, '-xf', file],
  ]);
  if (ended.failed)
    throw workshop.failure(`${origin} could not be unpacked: ${ended.lines[0] ?? 'tar failed'}`, ended);
  if (file.startsWith(workshop.folder)) rmSync(file);
  return { folder, origin, release: releaseOf(folder, origin) };
}

/** Reads the first folder and writes the second; leaves a file at the third where reading failed, which the pipe does not tell. */
const COPY = '{ tar -C "$1" --exclude-from="$4" -cf - . || : >"$3"; } | tar -C "$2" --no-same-owner -xf -';

/** The person's own tree stays as it is. What was built in it before is left out of the copy. */
async function copyTree(tree: string, { workshop, onStep }: Bench): Promise<SourceTree> {
  releaseOf(tree, tree); // before the long copy
  const folder = join(workshop.folder, 'linux');
  const [failed, excluded] = [join(workshop.folder, 'unreadable'), join(workshop.folder, 'excluded')];
  onStep({ doing: 'copying the source' });
  mkdirSync(folder);
  writeFileSync(excluded, [...UNNEEDED, ...LEFTOVERS].join('\n'));
  const copied = await workshop.run('sh', ['-c', COPY, 'sh', tree, folder, failed, excluded]);
  if (copied.failed || existsSync(failed)) throw workshop.failure(`${tree} could not be copied`, copied);
  const cleaned = await workshop.run('make', ['ARCH=um', 'mrproper'], { cwd: folder });
  if (cleaned.failed)
    throw workshop.failure(`a copy of ${tree} could not be cleaned by "make mrproper"`, cleaned);
  return { folder, origin: tree, release: releaseOf(folder, tree) };
}

/** From the first lines of the top Makefile; BuildError when it is not Linux's. */
export function releaseOf(folder: string, name = folder): string {
  const file = join(folder, 'Makefile');
  const text = existsSync(file) ? readFileSync(file, 'utf8').slice(0, 2000) : '';
  const numbers = ['VERSION', 'PATCHLEVEL', 'SUBLEVEL'].map(
    (field) => new RegExp(`^${field}\\s*=\\s*(\\d+)\\s*$`, 'm').exec(text)?.[1],
  );
  if (numbers.includes(undefined) || !existsSync(join(folder, 'arch', 'um', 'Kconfig')))
    throw new BuildError(
      `${name} is no source of Linux: its top folder wants a Makefile with a VERSION, and arch/um`,
    );
  return numbers.join('.');
}
