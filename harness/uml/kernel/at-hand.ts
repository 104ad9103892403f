/** What can be built here and now, without looking anything up elsewhere. */
import { hasApt, machineLists, sourcePackages } from './apt.js';
import { installedSources } from './installed-sources.js';
import { compareVersions } from './version.js';

export interface SourceAtHand {
  /** `6.12` */
  readonly version: string;
  /** A file, or a package that apt knows. */
  readonly origin: string;
}

/** The oldest version first; what is installed rather than what would be downloaded. */
export async function sourcesAtHand(): Promise<readonly SourceAtHand[]> {
  const packages = hasApt() ? await sourcePackages(machineLists()) : [];
  const found = new Map<string, string>();
  for (const { version, name } of packages) found.set(version, `apt: ${name}`);
  for (const { version, tarball } of installedSources()) found.set(version, tarball);
  return [...found]
    .map(([version, origin]) => ({ version, origin }))
    .sort((a, b) => compareVersions(a.version, b.version));
}
