/** Sources that a package has installed: Debian's and Ubuntu's linux-source-* put a tarball into /usr/src. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareVersions, fits, type WantedVersion } from './version.js';

export interface InstalledSource {
  /** `6.12` */
  readonly version: string;
  readonly tarball: string;
}

const FOLDER = '/usr/src';
/** Ubuntu's names have three numbers, the last of which is 0 and says nothing. */
const TARBALL = /^linux-source-(\d+\.\d+)(?:\.0)?\.tar\.(?:xz|bz2|gz|zst)$/;

/** The newest version last. */
export function installedSources(folder = FOLDER): readonly InstalledSource[] {
  return tarballsIn(folder)
    .map((name) => ({ version: TARBALL.exec(name)?.[1] ?? '', tarball: join(folder, name) }))
    .sort((a, b) => compareVersions(a.version, b.version));
}

/** The newest that may be what was wanted; which patch release it is, only its Makefile knows. */
export const installedSource = (wanted: WantedVersion, folder = FOLDER): InstalledSource | undefined =>
  installedSources(folder).findLast(({ version }) => fits(version, withoutPatch(wanted)));

const withoutPatch = ({ major, minor }: WantedVersion): WantedVersion =>
  minor === undefined ? { major } : { major, minor };

/** The tarball that a package was unpacked to. */
export function tarballsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => TARBALL.test(name));
  } catch {
    return [];
  }
}
