/** Files of the cache that are named by what they were made from: written once, complete or not there. */
import { createHash } from 'node:crypto';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from './kernel/cache.js';

/** Sixteen hexadecimal digits that stand for these contents. */
export function contentName(...contents: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const content of contents) hash.update(`${content.length}\0`).update(content);
  return hash.digest('hex').slice(0, 16);
}

/** A path beside `file`, nobody else's, that can be renamed to it. */
export function placeBeside(file: string): string {
  makeFolder(dirname(file));
  return join(dirname(file), `.${basename(file)}.${process.pid}.${Math.random().toString(36).slice(2, 8)}`);
}

/** Readers see all of it or nothing, also when several write it at once. */
export function writeWhole(file: string, content: Uint8Array, mode: number): void {
  const beside = placeBeside(file);
  try {
    writeFileSync(beside, content);
    chmodSync(beside, mode);
    renameSync(beside, file);
  } finally {
    rmSync(beside, { force: true });
  }
}
