/** Toxiproxy's server where no registry answers: built from its Go module at the released image's version, kept in the cache. */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BuildError, cacheFolder, isInPath } from '../../uml/index.js';
import { tar } from '../engine/index.js';
import { defaultOf } from './dockerfile.js';
import type { Import, Making } from './ways.js';

const MODULE = 'github.com/Shopify/toxiproxy/v2';
/** Where the released image has it. */
const NAME = 'toxiproxy';

export async function toxiproxyServer(making: Making, dockerfile: string): Promise<Import> {
  const version = defaultOf(dockerfile, 'RELEASED').replace(/^.*:/, '');
  // The same file as harness/toxiproxy keeps: one build serves both.
  const server = join(cacheFolder(), 'toxiproxy', `server-${version}-${process.arch}`);
  if (!existsSync(server)) await buildServer(server, version, making);
  const archive = tar([{ path: NAME, content: readFileSync(server), mode: 0o755 }]);
  return { archive, way: `built from the Go module ${MODULE} v${version}` };
}

async function buildServer(
  server: string,
  version: string,
  { workshop, onStep, signal }: Making,
): Promise<void> {
  if (!isInPath('go', process.env.PATH ?? ''))
    throw new BuildError(
      'building Toxiproxy needs Go 1.23 or newer, which this machine lacks: as root, "apt-get install golang-go" installs it from Debian 13 on, and go.dev/dl has it for others',
    );
  onStep({ doing: `building ${MODULE} v${version} with Go` });
  const flags = ['-trimpath', '-ldflags', `-s -w -X ${MODULE}.Version=${version}`];
  const ended = await workshop.run('go', ['install', ...flags, `${MODULE}/cmd/server@v${version}`], {
    // A static program; nothing of the caller's is to be built for another machine.
    env: {
      CGO_ENABLED: '0',
      GOBIN: workshop.folder,
      GOFLAGS: '',
      GOOS: '',
      GOARCH: '',
      TMPDIR: workshop.folder,
    },
  });
  signal.throwIfAborted();
  if (ended.failed)
    throw workshop.failure(`Toxiproxy ${version} cannot be built: ${why(ended.lines)}`, ended);
  mkdirSync(dirname(server), { recursive: true });
  renameSync(join(workshop.folder, 'server'), server);
}

const why = (lines: readonly string[]): string =>
  lines.findLast((line) => /^(go: (?!downloading)|.*\.go:\d+:)/.test(line)) ?? 'Go said nothing of why';
