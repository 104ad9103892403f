/**
 * Puts kernels into the cache and takes them out. A version's name leads to a folder of its own for each build, so that one
 * rename replaces the old by the new: who looks meanwhile finds either, and never half of one.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { kernelsFolder } from './cache.js';
import type { Kernel, KernelRecord } from './kernel.js';

export interface NewKernel {
  /** The executable, anywhere; it is copied. */
  readonly executable: string;
  readonly config: string;
  /** All patches as they were applied. */
  readonly patches: string;
  readonly release: string;
  readonly recipe: string;
  readonly source: string;
}

/** Replaces a kernel of the same version. */
export function putOnShelf(made: NewKernel, builtAt = new Date()): Kernel {
  const kernels = kernelsFolder();
  const executable = readFileSync(made.executable);
  const record: KernelRecord = {
    version: made.release.split('.').slice(0, 2).join('.'),
    release: made.release,
    sha256: createHash('sha256').update(executable).digest('hex'),
    recipe: made.recipe,
    builtAt: builtAt.toISOString(),
    source: made.source,
    octets: executable.length,
  };
  const name = `.${made.release}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const folder = join(kernels, name);
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, 'linux'), executable, { mode: 0o755 });
    writeFileSync(join(folder, 'config'), made.config);
    writeFileSync(join(folder, 'patches.diff'), made.patches);
    writeFileSync(join(folder, 'kernel.json'), `${JSON.stringify(record, undefined, 2)}\n`);
    lead(record.version, name);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  sweep();
  const file = join(kernels, record.version);
  return { ...record, file: join(file, 'linux'), configFile: join(file, 'config') };
}

/** Lets the version's name lead to another folder. Whoever is just following it finds the one before for a while yet. */
function lead(version: string, folder: string): void {
  const link = join(kernelsFolder(), version);
  const before = destination(link);
  const beside = join(kernelsFolder(), `${folder}.link`);
  // A folder that somebody copied here would not give way to a link.
  if (before === undefined) rmSync(link, { recursive: true, force: true });
  else touch(join(kernelsFolder(), before));
  symlinkSync(folder, beside);
  renameSync(beside, link);
}

/** Another process may have removed it. */
function touch(folder: string): void {
  const now = new Date();
  if (existsSync(folder)) utimesSync(folder, now, now);
}

/** Where a link of ours leads; undefined for what is not there, no link, or somebody else's to anywhere. */
function destination(link: string): string | undefined {
  try {
    const name = readlinkSync(link);
    return /^\.\d[^/]*$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Versions that have a place, whole or not. */
export function namesOnShelf(): readonly string[] {
  return existsSync(kernelsFolder())
    ? readdirSync(kernelsFolder()).filter((name) => /^\d+\.\d+$/.test(name))
    : [];
}

/** Whether there was one; also what is left of a broken one goes. */
export function takeFromShelf(version: string): boolean {
  const link = join(kernelsFolder(), version);
  const folder = destination(link);
  const wasThere = lstatSync(link, { throwIfNoEntry: false }) !== undefined;
  rmSync(link, { recursive: true, force: true });
  if (folder !== undefined) rmSync(join(kernelsFolder(), folder), { recursive: true, force: true });
  if (wasThere) sweep();
  return wasThere;
}

const HOUR_MS = 3600 * 1000;

/** Folders to which no name leads any more, or not yet; the young ones are still in somebody's hands. */
function sweep(): void {
  const kernels = kernelsFolder();
  const names = readdirSync(kernels);
  const led = new Set(names.map((name) => destination(join(kernels, name))));
  for (const name of names.filter((each) => each.startsWith('.') && !led.has(each))) {
    const entry = lstatSync(join(kernels, name), { throwIfNoEntry: false });
    if (entry !== undefined && Date.now() - entry.mtimeMs > HOUR_MS)
      rmSync(join(kernels, name), { recursive: true, force: true });
  }
}
