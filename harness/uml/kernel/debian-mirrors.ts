/** Debian's suites that have kernel sources, and the mirrors that a machine's apt is set up with. Pure. */

/** From old to new: 5.10 is in bullseye, each backports has some newer ones, sid the newest. */
const DEBIAN_SUITES: readonly string[] = [
  'bullseye',
  'bookworm',
  'bookworm-backports',
  'trixie',
  'trixie-backports',
  'sid',
];

/** Whose later versions come from a mirror beside, named with `-security` at the end. */
const SECURED: readonly string[] = ['bullseye', 'bookworm', 'trixie'];

/** For a sources list: what a mirror has, or may have. */
export const suitesAt = (mirror: string): readonly (readonly [uri: string, suite: string])[] => [
  ...DEBIAN_SUITES.map((suite) => [mirror, suite] as const),
  ...SECURED.map((suite) => [`${mirror}-security`, `${suite}-security`] as const),
];

const DEFAULT_MIRROR = 'http://deb.debian.org/debian';
/** Where suites go that are no longer kept up. */
const ARCHIVE = 'http://archive.debian.org/debian';
const RELEASES =
  /^(buster|bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates|-backports)?$/;

/** The mirrors named in sources lists of either format which have Debian's own suites, then Debian's, then its archive; none twice. */
export function debianMirrors(lists: readonly string[]): readonly string[] {
  const found = lists.flatMap((text) => [...oneLine(text), ...deb822(text)]);
  return [...new Set([...found.map((uri) => uri.replace(/\/+$/, '')), DEFAULT_MIRROR, ARCHIVE])];
}

/** `deb [option=value] http://deb.debian.org/debian bookworm main`, as sources.list(5) has it. */
function oneLine(text: string): readonly string[] {
  return [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm)]
    .filter(([, , suite = '']) => RELEASES.test(suite))
    .map(([, uri = '']) => uri)
    .filter(isFetched);
}

/** Paragraphs of fields; a line that begins with a blank goes on with the field before. */
function deb822(text: string): readonly string[] {
  return text
    .replace(/^#.*\n?/gm, '')
    .split(/\n\s*\n/)
    .flatMap((paragraph) => {
      const words = (field: string): readonly string[] =>
        new RegExp(`^${field}:((?:.*)(?:\\n[ \\t].*)*)`, 'mi').exec(paragraph)?.[1]?.trim().split(/\s+/) ??
        [];
      const isOn = !/^enabled:\s*no\b/im.test(paragraph);
      return isOn && words('Suites').some((suite) => RELEASES.test(suite))
        ? words('URIs').filter(isFetched)
        : [];
    });
}

/** A CD-ROM or a folder has only what somebody put on it. */
const isFetched = (uri: string): boolean => /^(https?|mirror\+https?):\/\//.test(uri);
