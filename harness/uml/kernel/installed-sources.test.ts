import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type TestFolder, testFolder } from './cache.fixture.js';
import { installedSource, installedSources } from './installed-sources.js';

describe('installed sources', () => {
  let folder: TestFolder;
  before(() => {
    folder = testFolder();
    for (const name of [
      'linux-source-6.1.tar.xz',
      'linux-source-6.12.tar.xz',
      'linux-source-6.8.0.tar.bz2',
      'linux-config-6.12',
      'linux-source-6.9.tar.xz.part',
      'linux-headers-6.1.0',
    ])
      writeFileSync(join(folder.path, name), '');
  });
  after(() => folder.remove());

  it("are the tarballs of Debian's and Ubuntu's packages, the newest last", () => {
    expect(installedSources(folder.path).map(({ version }) => version)).to.deep.equal(['6.1', '6.8', '6.12']);
  });

  it('are chosen by version; of a release one can only try', () => {
    const chosen = (wanted: Parameters<typeof installedSource>[0]) =>
      installedSource(wanted, folder.path)?.version;
    expect(chosen({ major: 6 })).to.equal('6.12');
    expect(chosen({ major: 6, minor: 1, patch: 192 })).to.equal('6.1');
    expect(chosen({ major: 5, minor: 10 })).to.equal(undefined);
  });

  it('may be none', () => expect(installedSources(join(folder.path, 'nowhere'))).to.deep.equal([]));
});
