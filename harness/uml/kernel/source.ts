/**
 * Gets the source of a wanted version into the workshop, from the first place that has it: what is
 * installed, what apt can download, kernel.org. Places that have nothing, or another release, say so in one sentence.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../text/index.js';
import {
  downloadPackage,
  fetchDebianLists,
  fittingPackage,
  hasApt,
  machineLists,
  mirrors,
  type PackageLists,
  sourcePackages,
} from './apt.js';
import { installedSource, tarballsIn } from './installed-sources.js';
import { downloadRelease, findRelease } from './kernel-org.js';
import { type Bench, type SourceTree, type Tarball, unpack } from './source-tree.js';
import { fits, type WantedVersion } from './version.js';

/** A tarball, or why there is none. */
type Found = Tarball | string;

interface Search extends Bench {
  readonly wanted: WantedVersion;
}

/** Looks for a source. */
export type Place = (search: Search) => Promise<Found>;

/** BuildError when no place has what was asked for: says what each place had to say. */
export async function findSource(
  asked: string,
  search: Search,
  places: readonly Place[] = PLACES,
): Promise<SourceTree> {
  const { wanted, workshop } = search;
  const reasons: string[] = [];
  for (const place of places) {
    const found = await place(search);
    if (typeof found === 'string') {
      workshop.note(found);
      reasons.push(found);
      continue;
    }
    const tree = await unpack(found, search);
    if (fits(tree.release, wanted)) return tree;
    reasons.push(`${found.origin} is ${tree.release}`);
    rmSync(tree.folder, { recursive: true });
  }
  throw workshop.failure(
    `no source of Linux ${asked} was found: ${reasons.join('; ')}; --source takes a tree or a tarball of yours`,
  );
}

function fromInstalled({ wanted }: Search): Promise<Found> {
  const source = installedSource(wanted);
  return Promise.resolve(
    source === undefined
      ? 'no package installed it in /usr/src'
      : { file: source.tarball, origin: source.tarball },
  );
}

async function fromMachineLists(search: Search): Promise<Found> {
  if (!hasApt()) return 'this machine has no apt';
  return fromLists(machineLists(search.workshop.folder), search);
}

async function fromDebian(search: Search): Promise<Found> {
  if (!hasApt()) return "so Debian's packages cannot be had";
  const reasons: string[] = [];
  for (const mirror of mirrors()) {
    search.onStep({ doing: `reading Debian's package lists at ${mirror}` });
    const found = await fromLists(await fetchDebianLists(search.workshop, mirror), search);
    if (typeof found !== 'string') return found;
    reasons.push(found);
  }
  return reasons.join('; ');
}

async function fromLists(lists: PackageLists, { wanted, workshop, onStep }: Search): Promise<Found> {
  const packages = await sourcePackages(lists);
  const chosen = fittingPackage(packages, wanted);
  if (chosen === undefined)
    return `${lists.name} ${packages.length === 0 ? 'name no linux-source package' : `have ${packages.map(({ release }) => release).join(', ')}`}`;
  const doing = `downloading ${chosen.name} ${chosen.packageVersion}`;
  onStep({ doing });
  const deb = await downloadPackage(workshop, lists, chosen, (percent) => onStep({ doing, percent }));
  if (deb === undefined) return `${chosen.name} of ${lists.name} could not be downloaded`;
  const folder = join(workshop.folder, 'package');
  const unpacked = await workshop.run('dpkg-deb', ['-x', deb, folder]);
  if (unpacked.failed) throw workshop.failure(`${chosen.name} could not be unpacked`, unpacked);
  rmSync(deb);
  const sources = join(folder, 'usr', 'src');
  // Ubuntu's tarball lies in a folder of its own, and a link leads there.
  const [name] = tarballsIn(sources);
  return name === undefined || !existsSync(join(sources, name))
    ? `${chosen.name} of ${lists.name} holds no tarball`
    : { file: join(sources, name), origin: `${chosen.name} ${chosen.packageVersion}` };
}

async function fromKernelOrg({ wanted, workshop, onStep }: Search): Promise<Found> {
  try {
    const release = await findRelease(wanted);
    if (release === undefined) return 'kernel.org has no such release';
    const doing = `downloading ${release.url}`;
    const file = await downloadRelease(release, workshop.folder, (percent) => onStep({ doing, percent }));
    return { file, origin: release.url };
  } catch (error) {
    // fetch() says only that it failed; the cause knows why.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return `kernel.org cannot be reached (${messageOf(cause)})`;
  }
}

const PLACES: readonly Place[] = [fromInstalled, fromMachineLists, fromDebian, fromKernelOrg];
