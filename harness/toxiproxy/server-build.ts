/** Toxiproxy's server, built by Go from its released module: a static program, kept in the cache under its version. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BuildError, cacheFolder, isInPath, type Workshop } from '../uml/index.js';

const MODULE = 'github.com/Shopify/toxiproxy/v2';

export const moduleOf = (version: string): string => `${MODULE} v${version}`;

export const cachedServer = (version: string): string =>
  join(cacheFolder(), 'toxiproxy', `server-${version}-${process.arch}`);

export const hasGo = (env: NodeJS.ProcessEnv = process.env): boolean => isInPath('go', env.PATH ?? '');

/** Its path. Who builds it at the same time builds the same. Rejects with `BuildError`, in one sentence. */
export async function buildServer(version: string, workshop: Workshop): Promise<string> {
  const file = cachedServer(version);
  if (existsSync(file)) return file;
  if (!hasGo())
    throw new BuildError(
      'building Toxiproxy needs Go 1.23 or newer, which this machine lacks: as root, "apt-get install golang-go" installs it from Debian 13 on, and go.dev/dl has it for others',
    );
  // Unless told, it calls itself "git" (version.go).
  const flags = ['-trimpath', '-ldflags', `-s -w -X ${MODULE}.Version=${version}`];
  const { folder } = workshop;
  const ended = await workshop.run('go', ['install', ...flags, `${MODULE}/cmd/server@v${version}`], {
    // Nothing of the caller's is to be built for another machine.
    env: { CGO_ENABLED: '0', GOBIN: folder, GOFLAGS: '', GOOS: '', GOARCH: '', TMPDIR: folder },
  });
  if (ended.failed)
    throw workshop.failure(`Toxiproxy ${version} cannot be built: ${why(ended.lines)}`, ended);
  mkdirSync(dirname(file), { recursive: true });
  renameSync(join(folder, 'server'), file);
  return file;
}

const why = (lines: readonly string[]): string =>
  lines.findLast((line) => /^(go: (?!downloading)|.*\.go:\d+:)/.test(line)) ?? 'Go said nothing of why';
