/** Where kernels, the agent and downloads are kept between runs: a folder of the user's, which may be removed at any time. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

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

/** One folder for each version: linux, config, patches.diff, kernel.json. */
export const kernelsFolder = (): string => join(cacheFolder(), 'kernels');
