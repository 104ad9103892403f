/** Where kernels, the agent and downloads are kept between runs: a folder of the user's, which may be removed at any time. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf } from '../../text/index.js';
import { BuildError } from './build-error.js';

type Env = Readonly<Record<string, string | undefined>>;

/** $LASTACK_CACHE, else $XDG_CACHE_HOME/lastack, else ~/.cache/lastack. It need not exist. */
export function cacheFolder(env: Env = process.env): string {
  if (isGiven(env.LASTACK_CACHE)) return resolve(env.LASTACK_CACHE);
  // The XDG specification wants relative paths ignored.
  if (isGiven(env.XDG_CACHE_HOME) && env.XDG_CACHE_HOME.startsWith('/'))
    return join(env.XDG_CACHE_HOME, 'lastack');
  return join(isGiven(env.HOME) ? env.HOME : homedir(), '.cache', 'lastack');
}

const isGiven = (text: string | undefined): text is string => text !== undefined && text !== '';

/** Makes a folder of the cache; BuildError says what to do where that is not allowed. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    throw new BuildError(
      `the folder ${folder} cannot be made (${why}): let LASTACK_CACHE name a folder that you may write`,
    );
  }
}

/** One folder for each version: linux, config, patches.diff, kernel.json. */
export const kernelsFolder = (): string => join(cacheFolder(), 'kernels');
