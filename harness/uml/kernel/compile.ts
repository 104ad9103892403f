/** Compiles a configured tree, and tells how far it is by counting what make says. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Bench, SourceTree } from './source-tree.js';
import { compareVersions } from './version.js';

/** The same source, recipe and compiler give the same octets, whoever builds it and when. */
const REPRODUCIBLE = {
  KBUILD_BUILD_USER: 'lastack',
  KBUILD_BUILD_HOST: 'lastack',
  KBUILD_BUILD_VERSION: '1',
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
} as const;

/** About how many lines of work make says for a version; between versions the number changes slowly. */
const STEPS: readonly (readonly [version: string, steps: number])[] = [
  ['5.10', 1160],
  ['6.1', 1250],
  ['6.12', 1300],
  ['7.0', 1330],
];

/** Gives the path of the executable, without its symbols. BuildError quotes the compiler. */
export async function compile(tree: SourceTree, { workshop, onStep }: Bench): Promise<string> {
  const expected = expectedSteps(tree.release);
  let steps = 0;
  onStep({ doing: 'compiling', percent: 0 });
  const built = await workshop.run(
    'make',
    [`-j${availableParallelism()}`, 'ARCH=um', 'LOCALVERSION=', 'linux'],
    {
      cwd: tree.folder,
      env: REPRODUCIBLE,
      onLine: (line) => {
        if (!isStep(line)) return;
        steps += 1;
        onStep({ doing: 'compiling', percent: Math.min(99, (100 * steps) / expected) });
      },
    },
  );
  if (built.failed)
    throw workshop.failure(`Linux ${tree.release} does not compile: ${firstError(built.lines)}`, built);
  const stripped = join(workshop.folder, 'stripped');
  const ended = await workshop.run('strip', ['--strip-unneeded', '-o', stripped, join(tree.folder, 'linux')]);
  if (ended.failed)
    throw workshop.failure(`Linux ${tree.release} could not be stripped of its symbols`, ended);
  workshop.note(`${steps} steps`);
  return stripped;
}

/** `  CC      net/ipv4/tcp.o` and its like: two blanks, what is done, to what. */
const isStep = (line: string): boolean => /^ {2}[A-Z][A-Z0-9]{1,7} +\S/.test(line);

/** Of the nearest version before that was counted. */
export function expectedSteps(release: string): number {
  const counted = STEPS.findLast(([version]) => compareVersions(version, release) <= 0) ?? STEPS[0];
  return counted?.[1] ?? 1;
}

/** The compiler's first complaint, else make's; other programs' come after. */
export function firstError(lines: readonly string[]): string {
  const patterns = [/^[^:]+:\d+:.*\berror: /, /undefined reference|multiple definition/, /\*\*\*/, /Killed/];
  for (const pattern of patterns) {
    const line = lines.find((each) => pattern.test(each));
    if (line !== undefined) return line.trim();
  }
  return 'make failed and did not say why';
}
