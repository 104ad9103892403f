import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ownCache, type TestFolder, testFolder } from './cache.fixture.js';
import { fakeLinux } from './fake-linux.fixture.js';
import { findSource, type Place } from './source.js';
import type { SourceTree } from './source-tree.js';
import { isInPath } from './tools.js';
import { parseVersion } from './version.js';
import { Workshop } from './workshop.js';

// Declared where it can run: the sources are packed.
if (isInPath('xz', process.env.PATH ?? '')) describe('looking for a source', () => looking());

function looking(): void {
  ownCache();
  let folder: TestFolder;
  let asked: string[];
  beforeEach(() => {
    folder = testFolder();
    asked = [];
  });
  afterEach(() => folder.remove());

  const has =
    (origin: string): Place =>
    () => {
      asked.push(origin);
      return Promise.resolve({ file: fakeLinux(join(folder.path)).tarball(), origin });
    };
  const lacks =
    (reason: string): Place =>
    () => {
      asked.push(reason);
      return Promise.resolve(reason);
    };

  async function found(
    version: string,
    places: readonly Place[],
  ): Promise<SourceTree & { isThere: boolean }> {
    await using workshop = new Workshop('test');
    const wanted = parseVersion(version) ?? expect.fail();
    const tree = await findSource(version, { wanted, workshop, onStep: () => {} }, places);
    return { ...tree, isThere: existsSync(join(tree.folder, 'main.c')) };
  }

  it('ends at the first place that has it', async () => {
    const tree = await found('6.12', [lacks('first has none'), has('second'), has('third')]);
    expect(tree).to.deep.include({ release: '6.12.5', origin: 'second', isThere: true });
    expect(asked).to.deep.equal(['first has none', 'second']);
  });

  it('goes on where a place has another release than was asked for, and says all in the end', async () => {
    const message = await found('6.12.9', [has('a package'), lacks('kernel.org has no such release')]).then(
      () => 'found',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(message).to.match(
      /^BuildError: no source of Linux 6\.12\.9 was found: a package is 6\.12\.5; kernel\.org has no such release; --source /,
    );
  });

  it('may find the release in a later place', async () => {
    const tree = await found('6.12.5', [lacks('none'), has('a package')]);
    expect(tree.origin).to.equal('a package');
  });
}
