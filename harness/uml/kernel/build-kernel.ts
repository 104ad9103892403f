/** Builds a User-Mode Linux kernel with our patches and configuration, and puts it into the cache. */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from './build-error.js';
import { compile } from './compile.js';
import { configure } from './configure.js';
import type { Kernel } from './kernel.js';
import { applyPatches } from './patches.js';
import { currentRecipe, linuxFolder } from './recipe.js';
import { putOnShelf } from './shelf.js';
import { findSource } from './source.js';
import { type Bench, givenSource, type SourceTree } from './source-tree.js';
import type { OnStep } from './steps.js';
import { checkTools } from './tools.js';
import { fits, parseVersion } from './version.js';
import { Workshop } from './workshop.js';

export interface KernelRequest {
  /** `6.12`, `6.12.57` or `7.x`; may be absent where a source is given. */
  readonly version?: string;
  /** A tree or a tarball; without it the source is looked for. */
  readonly source?: string;
  /** Leave the folder of the build where it is. */
  readonly keep?: boolean;
  readonly onStep?: OnStep;
}

export interface BuiltKernel {
  readonly kernel: Kernel;
  /** Where it was built, if that was to be kept. */
  readonly keptFolder?: string;
}

/** What the unpacked source, its objects and a downloaded package take together, and some more. */
const SPACE_OCTETS = 1.5e9;

/** BuildError says in one sentence what is missing or went wrong. */
export async function buildKernel(request: KernelRequest, recipe = linuxFolder()): Promise<BuiltKernel> {
  if (process.arch !== 'x64')
    throw new BuildError(`User-Mode Linux runs on x86-64 only, and this machine is ${process.arch}`);
  await checkTools();
  const { keep = false, onStep = () => {} } = request;
  await using workshop = new Workshop(request.version ?? 'own', { keep });
  checkSpace(workshop.folder);
  try {
    const kernel = await make(request, recipe, { workshop, onStep });
    return keep ? { kernel, keptFolder: workshop.folder } : { kernel };
  } catch (error) {
    // From files that we write ourselves; programs say it in words.
    if (isOutOfSpace(error)) throw workshop.failure('', { lines: ['No space left on device'] });
    throw error;
  }
}

async function make(request: KernelRequest, folder: string, bench: Bench): Promise<Kernel> {
  const tree = await sourceOf(request, bench);
  // What is used, and not what stands there when the compiler is done.
  const recipe = currentRecipe(folder);
  const patches = await applyPatches(tree, join(folder, 'patches'), bench);
  const config = await configure(tree, join(folder, 'config'), bench);
  const executable = await compile(tree, bench);
  return putOnShelf({ executable, config, patches, recipe, release: tree.release, source: tree.origin });
}

async function sourceOf({ version, source }: KernelRequest, bench: Bench): Promise<SourceTree> {
  const wanted = version === undefined ? undefined : parseVersion(version);
  if (version !== undefined && wanted === undefined)
    throw new BuildError(`"${version}" is no kernel version: write it like 6.12, 6.12.117 or 7.x`);
  if (source === undefined) {
    if (version === undefined || wanted === undefined)
      throw new BuildError('name a version, or give a source');
    return findSource(version, { ...bench, wanted });
  }
  const tree = await givenSource(source, bench);
  if (wanted !== undefined && !fits(tree.release, wanted))
    throw new BuildError(`${source} is the source of Linux ${tree.release} and not of ${version}`);
  return tree;
}

function checkSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free < SPACE_OCTETS)
    throw new BuildError(
      `building a kernel takes ${gigabytes(SPACE_OCTETS)} in ${folder}, where ${gigabytes(free)} are free: free some, or let LASTACK_CACHE name a folder on another disk`,
    );
}

const gigabytes = (octets: number): string => `${(octets / 1e9).toFixed(1)} GB`;

const isOutOfSpace = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
