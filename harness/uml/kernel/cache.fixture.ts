/** For tests: a cache of their own, in a folder that goes with them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestFolder {
  readonly path: string;
  remove(): void;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'lastack-kernel-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Declares hooks that let LASTACK_CACHE name an empty folder during each test. */
export function ownCache(): { readonly path: string } {
  const before = process.env.LASTACK_CACHE;
  const cache = { path: '' };
  let folder: TestFolder;
  beforeEach(() => {
    folder = testFolder();
    cache.path = folder.path;
    process.env.LASTACK_CACHE = folder.path;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.LASTACK_CACHE;
    else process.env.LASTACK_CACHE = before;
    folder.remove();
  });
  return cache;
}
