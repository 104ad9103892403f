/** Sources from kernel.org: all releases there are, with their checksums in one file for each major version. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { compareVersions, fits, type WantedVersion } from './version.js';

export interface Release {
  /** `6.12.57` */
  readonly release: string;
  readonly url: string;
  readonly sha256: string;
}

const SITE = 'https://cdn.kernel.org/pub/linux/kernel';
/** Where nothing answers at all a person should not wait longer. */
const ANSWER_WITHIN_MS = 15_000;

/** The newest release that fits; undefined when there is none. Rejects when the site cannot be reached. */
export async function findRelease(wanted: WantedVersion, site = SITE): Promise<Release | undefined> {
  const folder = `${site}/v${wanted.major}.x`;
  const answer = await fetch(`${folder}/sha256sums.asc`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (answer.status === 404) return undefined; // no such major version
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
  return newestRelease(await answer.text(), wanted, folder);
}

/** From lines of `<sha256>  linux-6.12.57.tar.xz`. The first release of a version has no third number. */
export function newestRelease(sums: string, wanted: WantedVersion, folder: string): Release | undefined {
  return [...sums.matchAll(/^([0-9a-f]{64})\s+(linux-(\d+\.\d+(?:\.\d+)?)\.tar\.xz)$/gm)]
    .map(([, sha256 = '', name = '', release = '']) => ({ release, url: `${folder}/${name}`, sha256 }))
    .filter(({ release }) => fits(release, wanted))
    .sort((a, b) => compareVersions(a.release, b.release))
    .at(-1);
}

/** Downloads it into the folder, and gives the path. Rejects when that fails or the checksum is another. */
export async function downloadRelease(
  { url, sha256 }: Release,
  folder: string,
  onPercent: (percent: number) => void,
): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok || answer.body === null) throw new Error(`${url} answers ${answer.status}`);
  const size = Number(answer.headers.get('content-length') ?? Number.NaN);
  const hash = createHash('sha256');
  let octets = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      octets += chunk.length;
      if (Number.isFinite(size)) onPercent((100 * octets) / size);
      done(null, chunk);
    },
  });
  const file = join(folder, url.slice(url.lastIndexOf('/') + 1));
  await pipeline(Readable.fromWeb(answer.body), measure, createWriteStream(file));
  if (hash.digest('hex') !== sha256) throw new Error(`${url} has another checksum than the list beside it`);
  return file;
}
