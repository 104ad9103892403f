import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type TestFolder, testFolder } from './cache.fixture.js';
import { knowsOption, lostOptions, wantedOptions } from './configure.js';

const FRAGMENT = `# What the lab needs.
CONFIG_NET=y
# CONFIG_SMP is not set
CONFIG_MODULES=n
CONFIG_NAME="a b"
CONFIG_LATE=n
CONFIG_LATE=y
`;

describe('a configuration', () => {
  it('is read in all its forms; the last word counts', () => {
    expect(wantedOptions(FRAGMENT)).to.deep.equal([
      ['CONFIG_NET', 'y'],
      ['CONFIG_SMP', 'n'],
      ['CONFIG_MODULES', 'n'],
      ['CONFIG_NAME', '"a b"'],
      ['CONFIG_LATE', 'y'],
    ]);
  });

  it('has lost what is off, has another value, or is on though it should not be', () => {
    const wanted = wantedOptions(FRAGMENT);
    const kept = 'CONFIG_NET=y\nCONFIG_NAME="a b"\nCONFIG_LATE=y\n# CONFIG_MODULES is not set\n';
    expect(lostOptions(wanted, kept)).to.deep.equal([]);
    expect(lostOptions(wanted, kept.replace('CONFIG_NET=y', '# CONFIG_NET is not set'))).to.deep.equal([
      'CONFIG_NET',
    ]);
    expect(lostOptions(wanted, `${kept}CONFIG_SMP=y\n`)).to.deep.equal(['CONFIG_SMP']);
    expect(lostOptions(wanted, kept.replace('"a b"', '"b"'))).to.deep.equal(['CONFIG_NAME']);
  });

  describe('of a tree', () => {
    let folder: TestFolder;
    before(() => {
      folder = testFolder();
      const write = (file: string, text: string): void => {
        mkdirSync(join(folder.path, file, '..'), { recursive: true });
        writeFileSync(join(folder.path, file), text);
      };
      write('net/Kconfig', 'menuconfig NET\n\tbool "Networking"\n\nconfig INET_DIAG\n\tbool\n');
      write('mm/Kconfig.debug', 'config PAGE_OWNER\n\tbool\n');
      write(
        'drivers/Kconfig',
        'config TRUST\n\tbool "Trust"\n\tdepends on NET && ONLY_ARM\n\nconfig EITHER\n\tbool\n\tdepends on NET || ONLY_ARM\n\nconfig DEEP\n\tdepends on TRUST\nconfig FINE\n\tdepends on NET && INET_DIAG # both\n',
      );
      write('arch/arm/Kconfig', 'config ONLY_ARM\n\tbool\n');
    });
    after(() => folder.remove());

    for (const [option, isKnown] of [
      ['CONFIG_NET', true],
      ['CONFIG_INET_DIAG', true],
      ['CONFIG_PAGE_OWNER', true],
      ['CONFIG_INET', false],
      ['CONFIG_ONLY_ARM', false],
      ['CONFIG_TRUST', false],
      ['CONFIG_DEEP', false],
      ['CONFIG_EITHER', true],
      ['CONFIG_FINE', true],
    ] as const)
      it(`${isKnown ? 'knows' : 'does not know'} ${option}`, () =>
        expect(knowsOption(folder.path, option)).to.equal(isKnown));
  });
});
