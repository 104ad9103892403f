/**
 * What of this package runs in a container: its own compiled files, and the packages that it needs for running, from where
 * they are installed here. So neither npm nor a network is needed, and what runs there is what runs here.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { BuildError, imagesFolder } from '../../uml/index.js';
import type { PlacedFile } from '../engine/index.js';

export interface Placement {
  readonly from: string;
  /** Below the package's folder in the image. */
  readonly to: string;
}

export interface RuntimePackage extends Placement {
  readonly version: string;
}

interface Manifest {
  readonly version: string;
  readonly dependencies: readonly string[];
  /** These may be missing: as a rule they are for other machines. */
  readonly optional: readonly string[];
}

const OWN = ['bin', 'dist/harness', 'dist/stack', 'dist/suites', 'images'] as const;
/** For people and compilers, not for running. */
const IS_LEFT_OUT = /\.(test\.js|d\.ts|map)$/;
/** Of other packages also their sources. */
const IS_SOURCE = /\.([cm]?ts|map|md|cc?|hh?|o)$/;

/** All of this package, and of those that it runs with, in one folder. */
export const packageFiles = (folder: string): readonly PlacedFile[] => [
  ...ownFiles().map(({ from, to }) => placed(from, join(folder, to))),
  // Packages below others are placed by themselves.
  ...runtimePackages().flatMap(({ from, to }) =>
    filesIn(from, (file) => !IS_SOURCE.test(file) && !file.split(sep).includes('node_modules')).map(
      (file) => ({ ...file, path: join(folder, to, file.path) }),
    ),
  ),
];

/** All files of a folder, by their paths in it, in an order that does not depend on the machine. */
export const filesIn = (
  folder: string,
  isWanted: (path: string) => boolean = () => true,
): readonly PlacedFile[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => isWanted(relative(folder, file)))
    .sort()
    .map((file) => placed(file, relative(folder, file)));

const placed = (file: string, path: string): PlacedFile => ({
  path,
  content: readFileSync(file),
  mode: (statSync(file).mode & 0o100) === 0 ? 0o644 : 0o755,
});

const packageFolder = (): string => dirname(imagesFolder());

/** The files of this package, in an order that does not depend on the machine. */
export function ownFiles(folder: string = packageFolder()): readonly Placement[] {
  const names = OWN.flatMap((name) =>
    readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !IS_LEFT_OUT.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
  );
  return [...names.sort(), 'package.json'].map((name) => ({ from: join(folder, name), to: name }));
}

/**
 * The packages that this one needs when it runs, placed so that each finds those that it needs: at the top where the place is
 * free, else below the one that needs it.
 */
export function runtimePackages(folder: string = packageFolder()): readonly RuntimePackage[] {
  const placed = new Map<string, RuntimePackage>();
  const toVisit: Placement[] = [{ from: folder, to: '' }];
  for (const { from, to } of toVisit) {
    const { dependencies, optional } = manifestOf(from);
    for (const name of [...dependencies, ...optional]) {
      const found = installed(name, from);
      if (found === undefined) {
        if (optional.includes(name)) continue;
        throw new BuildError(`the package "${name}" of ${from} is not installed: "npm ci" installs it`);
      }
      if (lookUp(placed, name, to)?.from === found) continue;
      const top = join('node_modules', name);
      const place = placed.has(top) ? join(to, 'node_modules', name) : top;
      placed.set(place, { from: found, to: place, version: manifestOf(found).version });
      toVisit.push({ from: found, to: place });
    }
  }
  return [...placed.values()];
}

/** The folder of a package as Node finds it from another's. */
function installed(name: string, from: string): string | undefined {
  const found = join(from, 'node_modules', name);
  if (existsSync(join(found, 'package.json'))) return found;
  return dirname(from) === from ? undefined : installed(name, dirname(from));
}

/** The same in the image. */
function lookUp(
  placed: ReadonlyMap<string, RuntimePackage>,
  name: string,
  from: string,
): RuntimePackage | undefined {
  const found = placed.get(join(from, 'node_modules', name));
  return found !== undefined || from === '' ? found : lookUp(placed, name, parentOf(from));
}

const parentOf = (place: string): string => (dirname(place) === '.' ? '' : dirname(place));

function manifestOf(folder: string): Manifest {
  const manifest: Readonly<Record<string, unknown>> = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const namesIn = (field: string): readonly string[] => Object.keys(Object(manifest[field]));
  const optional = namesIn('optionalDependencies');
  return {
    version: String(manifest.version),
    dependencies: namesIn('dependencies').filter((name) => !optional.includes(name)),
    optional,
  };
}
