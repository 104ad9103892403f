/**
 * Toxiproxy's server as a program of this machine: the one that LASTACK_TOXIPROXY names, the one in the cache, one that is
 * installed, or one that Go builds from its released module, once.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BuildError, Workshop } from '../uml/index.js';
import { buildServer, cachedServer, hasGo, moduleOf } from './server-build.js';
import { ToxiproxyError } from './toxiproxy-error.js';

export const TOXIPROXY_VERSION = '2.12.0';

export interface ServerProgram {
  readonly path: string;
  /** How it came: for people. */
  readonly way: string;
}

const BUILT = `built from the Go module ${moduleOf(TOXIPROXY_VERSION)}`;

/** One that is there already; undefined where it would have to be built. */
export function findToxiproxyServer(env: NodeJS.ProcessEnv = process.env): ServerProgram | undefined {
  const named = env.LASTACK_TOXIPROXY;
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return { path: named, way: 'named by LASTACK_TOXIPROXY' };
    throw new ToxiproxyError(
      'not-built',
      `LASTACK_TOXIPROXY names ${named}, and there is no such file: give the path of a Toxiproxy server, or unset it`,
    );
  }
  const built = cachedServer(TOXIPROXY_VERSION);
  if (existsSync(built)) return { path: built, way: BUILT };
  const installed = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'toxiproxy-server'));
  const path = installed.find((file) => existsSync(file));
  return path === undefined ? undefined : { path, way: 'installed' };
}

export interface ToxiproxyCapability {
  readonly works: boolean;
  readonly sentence: string;
}

/** Whether there is one, or could be; builds nothing. */
export function toxiproxyCapability(env: NodeJS.ProcessEnv = process.env): ToxiproxyCapability {
  try {
    const found = findToxiproxyServer(env);
    if (found !== undefined) return { works: true, sentence: `${found.path} (${found.way})` };
  } catch (error) {
    if (!(error instanceof ToxiproxyError)) throw error;
    return { works: false, sentence: error.message };
  }
  return hasGo(env)
    ? { works: true, sentence: `is built by Go at its first use (${TOXIPROXY_VERSION}, about a minute)` }
    : {
        works: false,
        sentence: `it is not here, and no Go to build it: install Go 1.23 or newer ("apt-get install golang-go"), or let LASTACK_TOXIPROXY name a server of yours`,
      };
}

let building: Promise<ServerProgram> | undefined;

/** Builds it where there is none; several callers at once share one build. */
export async function toxiproxyServer(): Promise<ServerProgram> {
  const found = findToxiproxyServer();
  if (found !== undefined) return found;
  building ??= build();
  try {
    return await building;
  } finally {
    building = undefined;
  }
}

async function build(): Promise<ServerProgram> {
  try {
    await using workshop = new Workshop('toxiproxy');
    return { path: await buildServer(TOXIPROXY_VERSION, workshop), way: BUILT };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw notBuilt(error.message);
  }
}

const notBuilt = (why: string): ToxiproxyError =>
  new ToxiproxyError('not-built', `${why}; or let LASTACK_TOXIPROXY name a server of yours`);
