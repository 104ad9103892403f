/**
 * Toxiproxy's server as a program of this machine: the one that LASTACK_TOXIPROXY names, the one in the cache, one that is
 * installed, or one that Go builds from its released module, once.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { cacheFolder, isInPath } from '../uml/index.js';
import { ToxiproxyError } from './toxiproxy-error.js';

export const TOXIPROXY_VERSION = '2.12.0';
const MODULE = 'github.com/Shopify/toxiproxy/v2';
/** A first build takes a minute on two cores; a download may take as long again. */
const BUILD_WITHIN_MS = 600_000;

export interface ServerProgram {
  readonly path: string;
  /** How it came: for people. */
  readonly way: string;
}

/** Where the image's build keeps it too: whoever builds first builds for both. */
const cachedFile = (): string =>
  join(cacheFolder(), 'toxiproxy', `${TOXIPROXY_VERSION}-${process.arch}`, 'toxiproxy');

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
  if (existsSync(cachedFile()))
    return { path: cachedFile(), way: `built from ${MODULE}@v${TOXIPROXY_VERSION}` };
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
  return isInPath('go', env.PATH ?? '')
    ? { works: true, sentence: `is built by Go at its first use (${TOXIPROXY_VERSION}, about a minute)` }
    : { works: false, sentence: notBuilt('there is no Go here').message };
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
  const file = cachedFile();
  // Of this process alone: another may build at the same time, and the last to end wins with the same octets.
  const folder = join(dirname(file), `build-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    // Unless told, it calls itself "git" (version.go).
    const flags = `-s -w -X ${MODULE}.Version=${TOXIPROXY_VERSION}`;
    const args = ['install', '-trimpath', '-ldflags', flags, `${MODULE}/cmd/server@v${TOXIPROXY_VERSION}`];
    const { failed, all, code } = await execa('go', args, {
      all: true,
      reject: false,
      timeout: BUILD_WITHIN_MS,
      env: { GOBIN: folder, GOFLAGS: '', GOOS: '', GOARCH: '', CGO_ENABLED: '0' },
    });
    if (failed) throw notBuilt(code === 'ENOENT' ? 'there is no Go here' : why(all));
    renameSync(join(folder, 'server'), file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { path: file, way: `built from ${MODULE}@v${TOXIPROXY_VERSION}` };
}

const notBuilt = (why: string): ToxiproxyError =>
  new ToxiproxyError(
    'not-built',
    `Toxiproxy ${TOXIPROXY_VERSION} cannot be built (${why}): install Go 1.23 or newer ("apt-get install golang-go"), or let LASTACK_TOXIPROXY name a server of yours`,
  );

const why = (output = ''): string =>
  output.split('\n').findLast((line) => /^(go: (?!downloading)|.*\.go:\d+:)/.test(line)) ??
  'Go said nothing of why';
