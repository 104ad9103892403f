/** Kernel versions as people write them: `6.12`, `6.12.117`, `7.x`. */

/** What was asked for; an absent part may be anything. */
export interface WantedVersion {
  readonly major: number;
  readonly minor?: number;
  readonly patch?: number;
}

/** Undefined when it is none of the three forms. */
export function parseVersion(text: string): WantedVersion | undefined {
  const any = /^(\d{1,3})\.x$/.exec(text);
  if (any !== null) return { major: Number(any[1]) };
  const exact = /^(\d{1,3})\.(\d{1,4})(?:\.(\d{1,5}))?$/.exec(text);
  if (exact === null) return undefined;
  const [major = 0, minor = 0] = exact.slice(1, 3).map(Number);
  return exact[3] === undefined ? { major, minor } : { major, minor, patch: Number(exact[3]) };
}

/** Whether a release such as `6.12.117` is what was wanted. */
export function fits(release: string, { major, minor, patch }: WantedVersion): boolean {
  const [ownMajor, ownMinor, ownPatch = 0] = release.split('.').map(Number);
  return (
    ownMajor === major &&
    (minor === undefined || ownMinor === minor) &&
    (patch === undefined || ownPatch === patch)
  );
}

/** Older first, number by number: 5.10 is newer than 5.9. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
