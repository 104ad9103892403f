/** The kernels that were built on this machine: what there is, and which one a version means. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { kernelsFolder } from './cache.js';
import { currentRecipe } from './recipe.js';
import { compareVersions, fits, parseVersion } from './version.js';

export interface Kernel {
  /** `6.12` */
  readonly version: string;
  /** `6.12.117`: VERSION.PATCHLEVEL.SUBLEVEL of the source's Makefile. */
  readonly release: string;
  /** The executable. */
  readonly file: string;
  readonly configFile: string;
  /** Of the executable, in hexadecimal. */
  readonly sha256: string;
  /** Hash of the patches and the configuration that it was built with. */
  readonly recipe: string;
  /** ISO 8601. */
  readonly builtAt: string;
  /** Where the source came from, in words. */
  readonly source: string;
  /** Size of the executable. */
  readonly octets: number;
}

/** There is no such kernel here; the message says which, and what to do. */
export class KernelUnavailable extends Error {
  override readonly name = 'KernelUnavailable';
}

const VERSION = /^\d+\.\d+$/;

/** What stands in `kernel.json` beside the executable. */
export const KERNEL_RECORD = z.object({
  version: z.string().regex(VERSION),
  release: z.string().regex(/^\d+\.\d+\.\d+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  recipe: z.string(),
  builtAt: z.iso.datetime(),
  source: z.string(),
  octets: z.int().positive(),
});
export type KernelRecord = z.infer<typeof KERNEL_RECORD>;

/** The newest kernel that fits `6.12`, `6.12.117` or `7.x` and was built with today's recipe, or KernelUnavailable. */
export function findKernel(version: string): Kernel {
  const wanted = parseVersion(version);
  if (wanted === undefined)
    throw new KernelUnavailable(`"${version}" is no kernel version: write it like 6.12, 6.12.117 or 7.x`);
  const fitting = installedKernels().filter(({ release }) => fits(release, wanted));
  const found = fitting.findLast(isUpToDate);
  if (found !== undefined) return found;
  const old = fitting.at(-1);
  if (old !== undefined)
    throw new KernelUnavailable(
      `Linux ${old.release} was built with patches or a configuration that have changed since: "lastack kernel build ${version}" builds it again`,
    );
  throw new KernelUnavailable(
    `there is no Linux ${version} in ${kernelsFolder()}: "lastack kernel build ${version}" builds it`,
  );
}

/** Whether it was built with today's patches, configuration and rules. */
export const isUpToDate = (kernel: Kernel): boolean => kernel.recipe === currentRecipe();

/** All that are whole, the newest version last; whether they are up to date is another matter. */
export function installedKernels(): readonly Kernel[] {
  return namesIn(kernelsFolder())
    .filter((name) => VERSION.test(name))
    .map((name) => readKernel(join(kernelsFolder(), name)))
    .filter((kernel) => kernel !== undefined)
    .sort((a, b) => compareVersions(a.release, b.release));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing was built yet
  }
}

/** Undefined for a folder that is not, or no longer, a kernel: whoever removed half of it gets to build it again. */
export function readKernel(folder: string): Kernel | undefined {
  const [file, configFile] = [join(folder, 'linux'), join(folder, 'config')];
  try {
    const record = KERNEL_RECORD.parse(JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8')));
    return statSync(file).size === record.octets ? { ...record, file, configFile } : undefined;
  } catch {
    return undefined;
  }
}
