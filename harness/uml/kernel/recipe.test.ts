import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type TestFolder, testFolder } from './cache.fixture.js';
import { currentRecipe } from './recipe.js';

describe('the recipe', () => {
  let folder: TestFolder;
  const write = (file: string, text: string): void => {
    mkdirSync(join(folder.path, file, '..'), { recursive: true });
    writeFileSync(join(folder.path, file), text);
  };
  const recipe = (): string => currentRecipe(folder.path);
  beforeEach(() => {
    folder = testFolder();
    write('config', 'CONFIG_NET=y\n');
    write('patches/one/a.patch', 'a\n');
  });
  afterEach(() => folder.remove());

  it('is another one with another configuration, patch, or name of a patch', () => {
    const seen = [recipe()];
    write('config', 'CONFIG_NET=n\n');
    seen.push(recipe());
    write('patches/one/a.patch', 'b\n');
    seen.push(recipe());
    write('patches/two/a.patch', 'b\n');
    seen.push(recipe());
    expect(new Set(seen).size).to.equal(4);
  });

  it('stays the same when only the words for people change', () => {
    const before = recipe();
    write('README.md', 'What the patches are for.\n');
    write('patches/one/README.md', 'Why.\n');
    expect(recipe()).to.equal(before);
  });
});
