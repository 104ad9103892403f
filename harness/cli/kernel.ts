/** `lastack kernel build`, `list` and `remove`: the cache of kernels, for people. */
import {
  agentBinary,
  BuildError,
  buildKernel,
  checkTools,
  findKernel,
  fits,
  installedKernels,
  isUpToDate,
  type Kernel,
  KernelUnavailable,
  kernelsFolder,
  namesOnShelf,
  parseVersion,
  sourcesAtHand,
  takeFromShelf,
  type WantedVersion,
} from '../uml/index.js';
import { BuildProgress } from './build-progress.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';
import type { Options } from './program.js';

type BuildOptions = Pick<Options, 'source' | 'force' | 'keep'>;

/** Builds each in turn, and the agent that all of them need. */
export async function kernelBuild(versions: readonly string[], options: BuildOptions): Promise<number> {
  for (const version of versions) wantedVersion(version);
  const { source } = options;
  if (versions.length === 0 && source === undefined)
    throw new UsageError(
      'which kernel? Name a version, such as 6.12, or give a tree or tarball with --source',
    );
  if (versions.length > 1 && source !== undefined)
    throw new UsageError('--source is the source of one kernel: name one version, or none');
  const wanted = versions.length === 0 ? [undefined] : [...new Set(versions)];
  try {
    const missing = wanted.filter((version) => !isThere(version, options));
    if (missing.length > 0) await checkTools();
    await agentBinary();
    for (const version of missing) await build(version, options);
  } catch (error) {
    throw error instanceof BuildError ? new EnvironmentError(error.message) : error;
  }
  return EXIT.asExpected;
}

/** Says so of those that need no building. */
function isThere(version: string | undefined, { source, force = false }: BuildOptions): boolean {
  if (version === undefined || source !== undefined || force) return false;
  try {
    const { release, file } = findKernel(version);
    say(`Linux ${release} is there and up to date: ${file}`);
    return true;
  } catch (error) {
    if (error instanceof KernelUnavailable) return false;
    throw error;
  }
}

async function build(version: string | undefined, { source, keep = false }: BuildOptions): Promise<void> {
  const progress = new BuildProgress(version === undefined ? 'kernel' : `Linux ${version}`, process.stderr);
  try {
    const { kernel, keptFolder } = await buildKernel({
      ...(version === undefined ? {} : { version }),
      ...(source === undefined ? {} : { source }),
      keep,
      onStep: progress.show,
    });
    progress.end();
    say(`Linux ${kernel.release} built in ${progress.elapsed()} from ${kernel.source}: ${kernel.file}`);
    if (keptFolder !== undefined) say(`built in ${keptFolder}, which is yours to remove`);
  } finally {
    progress.end();
  }
}

/** What there is, how old, and what else could be built. */
export async function kernelList(): Promise<number> {
  const kernels = installedKernels();
  if (kernels.length === 0) say(`no kernel was built yet: "lastack kernel build 6.12" builds one`);
  for (const line of table(kernels.map(rowOf))) say(line);
  if (kernels.length > 0) say(`in ${kernelsFolder()}`);
  const atHand = await sourcesAtHand();
  say('');
  if (atHand.length > 0) say('sources at hand:');
  for (const line of table(atHand.map(({ version, origin }) => [version, origin]))) say(line);
  say(
    `${atHand.length > 0 ? 'others are' : 'sources are'} looked for in Debian's packages and at kernel.org`,
  );
  return EXIT.asExpected;
}

const rowOf = (kernel: Kernel): readonly string[] => [
  kernel.version,
  kernel.release,
  `${(kernel.octets / 1e6).toFixed(1)} MB`,
  kernel.builtAt.slice(0, 16).replace('T', ' '),
  isUpToDate(kernel) ? 'up to date' : `out of date: "lastack kernel build ${kernel.version}" builds it again`,
  kernel.source,
];

/** Columns as wide as their widest. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}

/** All that fit; one that does not is refused before any goes. */
export function kernelRemove(versions: readonly string[]): number {
  const chosen = versions.map((version) => fitting(version, wantedVersion(version)));
  for (const version of new Set(chosen.flat())) {
    takeFromShelf(version);
    say(`Linux ${version} removed`);
  }
  return EXIT.asExpected;
}

function fitting(version: string, wanted: WantedVersion): readonly string[] {
  const names = namesOnShelf();
  // By their names, so that half a kernel can be removed too; by release where that was asked for.
  const found =
    wanted.patch === undefined
      ? names.filter((name) => fits(name, wanted))
      : installedKernels()
          .filter(({ release }) => fits(release, wanted))
          .map((kernel) => kernel.version);
  if (found.length > 0) return found;
  const there = names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`;
  throw new UsageError(`there is no Linux ${version} in ${kernelsFolder()}: ${there}`);
}

function wantedVersion(text: string): WantedVersion {
  const wanted = parseVersion(text);
  if (wanted === undefined)
    throw new UsageError(`"${text}" is no kernel version: write it like 6.12, 6.12.117 or 7.x`);
  return wanted;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
