import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ownCache, type TestFolder, testFolder } from './cache.fixture.js';
import { type FakeLinux, fakeLinux } from './fake-linux.fixture.js';
import { applyPatches, variantsOf } from './patches.js';
import { isInPath } from './tools.js';
import { Workshop } from './workshop.js';

const changing = (from: string, to: string): string => `Subject: greet
---
--- a/main.c
+++ b/main.c
@@ -1,3 +1,3 @@
-#define GREETING "${from}"
+#define GREETING "${to}"
 #include <stdio.h>
 int main(void) { return puts(GREETING) < 0; }
`;

describe('the variants of a patch', () => {
  it('are tried from the default over the newest to the oldest; other files are none', () => {
    expect(
      variantsOf(['5.10.patch', '6.1.patch', '6.12.patch', 'README.md', 'default.patch', 'optional']),
    ).to.deep.equal(['default.patch', '6.12.patch', '6.1.patch', '5.10.patch']);
  });
});

// Declared where it can run.
if (isInPath('patch', process.env.PATH ?? '')) describe('patching', () => patching());

function patching(): void {
  ownCache();
  let folder: TestFolder;
  let linux: FakeLinux;
  beforeEach(() => {
    folder = testFolder();
    linux = fakeLinux(folder.path);
  });
  afterEach(() => folder.remove());

  async function patched(): Promise<{ source: string; applied: string }> {
    await using workshop = new Workshop('test');
    const tree = { folder: linux.tree, release: '6.12.5', origin: 'a test' };
    const applied = await applyPatches(tree, join(linux.recipe, 'patches'), { workshop, onStep: () => {} });
    return { source: readFileSync(join(linux.tree, 'main.c'), 'utf8'), applied };
  }

  it('goes in the order of names, each patch upon those before', async () => {
    linux.prescribe('patches/20-second/default.patch', changing('first', 'second'));
    linux.prescribe('patches/10-first/default.patch', changing('unpatched', 'first'));
    const { source, applied } = await patched();
    expect(source).to.include('"second"');
    expect(applied.match(/^\+#.*/gm)).to.deep.equal([
      '+#define GREETING "first"',
      '+#define GREETING "second"',
    ]);
  });

  it('takes the variant that fits', async () => {
    linux.prescribe('patches/10-greet/default.patch', changing('something else', 'default'));
    linux.prescribe('patches/10-greet/5.10.patch', changing('unpatched', 'old'));
    linux.prescribe('patches/10-greet/6.1.patch', changing('unpatched', 'new'));
    expect((await patched()).source).to.include('"new"');
  });

  it('goes without an optional one that fits nowhere', async () => {
    linux.prescribe('patches/10-greet/5.10.patch', changing('something else', 'old'));
    linux.prescribe('patches/10-greet/optional', 'Only 5.10 needs this.\n');
    expect(await patched()).to.deep.include({ applied: '' });
  });

  it('fails for one that fits nowhere, and names it', async () => {
    linux.prescribe('patches/10-greet/default.patch', changing('something else', 'default'));
    const message = await patched().then(
      () => 'patched',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(message).to.match(/^BuildError: Linux 6\.12\.5 .*10-greet.* \(log: .*\)$/);
    expect(readFileSync(join(linux.tree, 'main.c'), 'utf8')).to.include('"unpatched"');
  });
}
