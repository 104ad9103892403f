import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type TestFolder, testFolder } from './cache.fixture.js';
import { checkTools, missingSentence, missingTools } from './tools.js';

describe('the tools of a build', () => {
  let folder: TestFolder;
  before(() => {
    folder = testFolder();
    for (const name of ['gcc', 'ld', 'make', 'tar', 'patch', 'bc']) {
      writeFileSync(join(folder.path, name), '#!/bin/sh\n');
      chmodSync(join(folder.path, name), 0o755);
    }
    writeFileSync(join(folder.path, 'flex'), 'not a program');
  });
  after(() => folder.remove());

  it('that are missing are all found at once', () => {
    expect(missingTools(folder.path).map(({ program }) => program)).to.deep.equal(['flex', 'bison', 'xz']);
  });

  it('are named in one sentence with the command that installs them, each package once', () => {
    const missing = missingTools('/nowhere');
    expect(missingSentence(missing, false)).to.match(
      /^building a kernel needs gcc, ld, .* and xz, .*"apt-get install gcc binutils make .* xz-utils"/,
    );
    expect(missingSentence(missing, true)).to.match(/"dnf install gcc binutils make .* xz"/);
    expect(missingSentence(missing.slice(0, 1), false)).to.match(/needs gcc, which.*"apt-get install gcc"/);
  });

  it('that are missing are an error', async () => {
    const message = await checkTools('/nowhere').then(
      () => 'nothing was missing',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(message).to.match(/^BuildError: .*gcc.*bison/);
  });
});
