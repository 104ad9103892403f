/**
 * The linux-source-* packages that apt can download, without root: apt is told to keep its lists and downloads in a folder
 * of ours. The signatures are checked with the keys that the machine has.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { debianMirrors, suitesAt } from './debian-mirrors.js';
import { isInPath } from './tools.js';
import { compareVersions, fits, type WantedVersion } from './version.js';
import type { Workshop } from './workshop.js';

export interface SourcePackage {
  /** `linux-source-6.12` */
  readonly name: string;
  /** `6.12` */
  readonly version: string;
  /** `6.12.57`: the release that it has the source of. */
  readonly release: string;
  /** As the distribution counts it: `6.12.57-1~bpo12+1`. */
  readonly packageVersion: string;
}

/** A set of package lists: the machine's own, or ours. */
export interface PackageLists {
  /** In words, for sentences. */
  readonly name: string;
  /** For apt-get and apt-cache alike. */
  readonly options: readonly string[];
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export const hasApt = (path = process.env.PATH ?? ''): boolean =>
  ['apt-get', 'apt-cache', 'dpkg-deb'].every((program) => isInPath(program, path));

/** What the machine's own `apt-get update` fetched; only the caches are ours. */
export const machineLists = (caches?: string): PackageLists => ({
  name: "this machine's package lists",
  options: caches === undefined ? [] : ['-o', `Dir::Cache=${aptFolder(caches, 'cache', 'archives/partial')}`],
});

/** Fetches the lists of Debian's suites from one mirror. A suite that the mirror lacks is left out. */
export async function fetchDebianLists(workshop: Workshop, mirror: string): Promise<PackageLists> {
  const state = aptFolder(workshop.folder, 'apt-state', 'lists/partial');
  const list = join(workshop.folder, 'debian.list');
  const keys = existsSync(KEYRING) ? ` signed-by=${KEYRING}` : '';
  // Only lists of packages: no translations, icons or the like.
  const lines = suitesAt(mirror).map(([uri, suite]) => `deb [target=Packages${keys}] ${uri} ${suite} main\n`);
  writeFileSync(list, lines.join(''));
  const options = [
    ...machineLists(workshop.folder).options,
    ...['-o', `Dir::State=${state}`, '-o', 'Dir::State::status=/dev/null'],
    ...['-o', `Dir::Etc::sourcelist=${list}`, '-o', 'Dir::Etc::sourceparts=/dev/null'],
  ];
  // Fails when any suite could not be had; what counts is which packages are known then.
  await workshop.run('apt-get', [...options, '-q', 'update']);
  return { name: `Debian's suites at ${mirror}`, options };
}

function aptFolder(parent: string, name: string, inside: string): string {
  mkdirSync(join(parent, name, inside), { recursive: true });
  return join(parent, name);
}

/** All that the lists offer, the newest version last. */
export async function sourcePackages(lists: PackageLists): Promise<readonly SourcePackage[]> {
  const names = await aptCache([...lists.options, 'pkgnames', 'linux-source-']);
  const wanted = names.filter((name) => PACKAGE.test(name));
  if (wanted.length === 0) return [];
  // Of each package only the version that apt would choose.
  return parsePackages(await aptCache([...lists.options, '--no-all-versions', 'show', ...wanted]));
}

/** Ubuntu's names have three numbers. Names such as linux-source-6.12-something are flavours, not Linux. */
const PACKAGE = /^linux-source-(\d+\.\d+)(?:\.0)?$/;

/** From the paragraphs of `apt-cache show`. */
export function parsePackages(lines: readonly string[]): readonly SourcePackage[] {
  const packages: SourcePackage[] = [];
  let name = '';
  for (const line of lines) {
    const [, field, value = ''] = /^(Package|Version): (.*)$/.exec(line) ?? [];
    if (field === 'Package') name = value;
    const version = PACKAGE.exec(name)?.[1];
    const release = /^(?:\d+:)?(\d+\.\d+(?:\.\d+)?)/.exec(value)?.[1];
    if (field === 'Version' && version !== undefined && release !== undefined)
      packages.push({ name, version, release, packageVersion: value });
  }
  return packages.sort((a, b) => compareVersions(a.release, b.release));
}

export const fittingPackage = (
  packages: readonly SourcePackage[],
  wanted: WantedVersion,
): SourcePackage | undefined => packages.findLast(({ release }) => fits(release, wanted));

async function aptCache(args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await execa('apt-cache', args, {
    reject: false,
    stderr: 'ignore',
    env: { LC_ALL: 'C' },
  });
  return stdout?.split('\n') ?? [];
}

/** Downloads a package; the path of the .deb, or undefined. `onPercent` hears how far it is. */
export async function downloadPackage(
  workshop: Workshop,
  lists: PackageLists,
  { name, packageVersion }: SourcePackage,
  onPercent: (percent: number) => void,
): Promise<string | undefined> {
  const { failed } = await workshop.run(
    'apt-get',
    [...lists.options, '-o', 'APT::Status-Fd=1', '-q', 'download', `${name}=${packageVersion}`],
    {
      onLine: (line) => {
        const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
        if (percent !== undefined) onPercent(Number(percent));
      },
    },
  );
  const file = readdirSync(workshop.folder).find(
    (each) => each.startsWith(`${name}_`) && each.endsWith('.deb'),
  );
  return failed || file === undefined ? undefined : join(workshop.folder, file);
}

/** Where Debian's packages come from here: the mirror in the machine's own sources, then Debian's. */
export function mirrors(folder = '/etc/apt'): readonly string[] {
  const parts = join(folder, 'sources.list.d');
  const files = [
    join(folder, 'sources.list'),
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ];
  return debianMirrors(files.filter((file) => /\.(list|sources)$/.test(file)).map(readable));
}

function readable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
