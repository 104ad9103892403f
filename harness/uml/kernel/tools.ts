/** The programs that building a kernel takes, and what to say when some are not there. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { BuildError } from './build-error.js';

interface Tool {
  readonly program: string;
  /** Packages of Debian and Ubuntu, and of Fedora and its kin. */
  readonly apt: string;
  readonly dnf: string;
}

const tool = (program: string, apt = program, dnf = apt): Tool => ({ program, apt, dnf });

const TOOLS: readonly Tool[] = [
  tool('gcc'),
  tool('ld', 'binutils'),
  tool('make'),
  tool('flex'),
  tool('bison'),
  tool('bc'),
  tool('patch'),
  tool('tar'),
  tool('xz', 'xz-utils', 'xz'),
];
/** No program, but as needed: the C library's headers, also those of the kernel's interface, and its static form. */
const HEADERS: Tool = tool('the headers of the C library', 'libc6-dev', 'glibc-devel');
const STATIC_LIBRARY: Tool = tool('the static C library', 'libc6-dev', 'glibc-static');

/** BuildError names all that is missing, and the command that installs it. */
export async function checkTools(path = process.env.PATH ?? ''): Promise<void> {
  const missing = [...missingTools(path), ...(await missingLibraries(path))];
  if (missing.length > 0) throw new BuildError(missingSentence(missing, isInPath('dnf', path)));
}

export const missingTools = (path: string): readonly Tool[] =>
  TOOLS.filter(({ program }) => !isInPath(program, path));

export function missingSentence(missing: readonly Tool[], isFedora: boolean): string {
  const names = missing.map(({ program }) => program);
  const packages = [...new Set(missing.map(({ apt, dnf }) => (isFedora ? dnf : apt)))];
  const listed = names.length === 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  const command = `${isFedora ? 'dnf' : 'apt-get'} install ${packages.join(' ')}`;
  return `building a kernel needs ${listed}, which this machine lacks: as root, "${command}" installs what is missing`;
}

/** Asked of the compiler, since only it knows where it looks. */
async function missingLibraries(path: string): Promise<readonly Tool[]> {
  if (!isInPath('gcc', path)) return [];
  const options = { reject: false, input: '#include <sys/epoll.h>\n#include <linux/if_packet.h>\n' } as const;
  const [headers, library] = await Promise.all([
    execa('gcc', ['-E', '-x', 'c', '-o', '/dev/null', '-'], { ...options, env: { LC_ALL: 'C' } }),
    execa('gcc', ['-print-file-name=libc.a'], { reject: false }),
  ]);
  return [...(headers.failed ? [HEADERS] : []), ...(library.stdout.includes('/') ? [] : [STATIC_LIBRARY])];
}

export function isInPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
