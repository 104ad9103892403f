/** The little that has to be known of our Dockerfiles: they are given labels, and what a registry would have is imported instead. */

/** Of the instructions of a Dockerfile those that `docker import` takes too. */
const OF_AN_IMPORT = /^(CMD|ENTRYPOINT|ENV|EXPOSE|USER|VOLUME|WORKDIR|LABEL) /i;

/** One a line, without comments. */
function instructions(dockerfile: string): readonly string[] {
  return dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** What an image is told besides its files, for one that is imported. */
export const changesOf = (dockerfile: string): readonly string[] =>
  instructions(dockerfile).filter((line) => OF_AN_IMPORT.test(line));

/** What an ARG is unless it is given. */
export function defaultOf(dockerfile: string, arg: string): string {
  const line = instructions(dockerfile).find((each) => each.startsWith(`ARG ${arg}=`));
  if (line === undefined) throw new TypeError(`the Dockerfile has no ARG ${arg} with a default`);
  return line.slice(`ARG ${arg}=`.length);
}

export type Labels = Readonly<Record<string, string>>;

export const labelLine = (labels: Labels): string =>
  `LABEL ${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ')}`;

/** With labels from its beginning on, so that the images and containers on the way carry them too. */
export const labelled = (dockerfile: string, labels: Labels): string =>
  // By a function, for a value might have a "$" in it.
  dockerfile.replace(/^FROM .*$/m, (from) => `${from}\n${labelLine(labels)}`);
