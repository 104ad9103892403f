/** The base image where no registry answers: Debian from its packages, by mmdebstrap, with the packages of the base in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, isInPath } from '../../uml/index.js';
import { folderOf } from './kinds.js';
import type { Import, Making } from './ways.js';

const SUITE = 'trixie';
/** What Debian's own slim images leave out, and a program that only installs others. */
const LEFT_OUT = ['doc/*', 'info/*', 'locale/*', 'man/*', 'nodejs/corepack/*'];
const KEPT = ['doc/*/copyright'];

const STEPS: readonly (readonly [line: RegExp, doing: string])[] = [
  [/^I: running apt-get update/, 'fetching the lists of packages'],
  [/^I: downloading packages/, 'downloading the essential packages'],
  [/^I: extracting archives/, 'unpacking the essential packages'],
  [/^I: installing essential/, 'installing the essential packages'],
  [/^I: installing remaining/, 'downloading and installing the other packages'],
  [/^I: creating tarball/, 'packing'],
];

export async function bootstrapBase({ workshop, onStep, signal }: Making): Promise<Import> {
  if (!isInPath('mmdebstrap', process.env.PATH ?? ''))
    throw new BuildError(
      'bootstrapping the base image needs mmdebstrap, which this machine lacks: as root, "apt-get install mmdebstrap" installs it',
    );
  const tarFile = join(workshop.folder, 'base.tar');
  const [program = '', ...args] = [...confined(), 'mmdebstrap', ...options(), SUITE, tarFile];
  onStep({ doing: 'bootstrapping Debian' });
  const ended = await workshop.run(program, args, {
    env: { TMPDIR: workshop.folder },
    onLine: (line) => {
      const doing = STEPS.find(([start]) => start.test(line))?.[1];
      if (doing !== undefined) onStep({ doing: `bootstrapping Debian, ${doing}` });
    },
  });
  signal.throwIfAborted();
  if (ended.failed)
    throw workshop.failure(`Debian ${SUITE} cannot be bootstrapped: ${why(ended.lines)}`, ended);
  return { archive: tarFile, way: `bootstrapped from Debian's packages (${SUITE})` };
}

/**
 * As root mmdebstrap mounts things into the new system, and dpkg leaves its process group. In namespaces of its own all of that ends
 * with the first process, also by SIGKILL. Without root it makes such namespaces itself.
 */
const confined = (): readonly string[] =>
  process.geteuid?.() === 0 ? ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'] : [];

function options(): readonly string[] {
  const packages = readFileSync(join(folderOf('base'), 'packages'), 'utf8')
    .trim()
    .split('\n');
  return [
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    // As in Debian's own images: nothing here has to outlive a loss of power.
    '--dpkgopt=force-unsafe-io',
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=/usr/share/${path}`),
    ...KEPT.map((path) => `--dpkgopt=path-include=/usr/share/${path}`),
  ];
}

const why = (lines: readonly string[]): string =>
  lines.findLast((line) => /^E: /.test(line))?.replace(/^E: /, '') ?? 'mmdebstrap said nothing of why';
