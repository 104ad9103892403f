import { expect } from 'chai';
import { fittingPackage, parsePackages } from './apt.js';

const SHOWN = `Package: linux-source-6.12
Source: linux
Version: 6.12.57-1~bpo12+1
Installed-Size: 145000
Description: Linux kernel source for version 6.12 with Debian patches
 Version: 9.9.9 in a description is not one

Package: linux-source-5.10
Version: 5.10.262-1

Package: linux-source-6.8.0
Version: 6.8.0-31.31

Package: linux-source-7.3
Version: 7.3.4-1~bpo13+1
`.split('\n');

describe('packages of sources', () => {
  const packages = parsePackages(SHOWN);

  it('are read from what apt-cache shows, the newest last', () => {
    expect(packages.map(({ name, version, release }) => [name, version, release])).to.deep.equal([
      ['linux-source-5.10', '5.10', '5.10.262'],
      ['linux-source-6.8.0', '6.8', '6.8.0'],
      ['linux-source-6.12', '6.12', '6.12.57'],
      ['linux-source-7.3', '7.3', '7.3.4'],
    ]);
    expect(packages.at(-1)?.packageVersion).to.equal('7.3.4-1~bpo13+1');
    expect(parsePackages([])).to.deep.equal([]);
  });

  it('fit a version, a release, or are the newest of a major version', () => {
    const name = (wanted: Parameters<typeof fittingPackage>[1]) => fittingPackage(packages, wanted)?.name;
    expect(name({ major: 6 })).to.equal('linux-source-6.12');
    expect(name({ major: 6, minor: 8 })).to.equal('linux-source-6.8.0');
    expect(name({ major: 6, minor: 12, patch: 57 })).to.equal('linux-source-6.12');
    expect(name({ major: 6, minor: 12, patch: 58 })).to.equal(undefined);
  });
});
