import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ownCache } from './cache.fixture.js';
import { findKernel, installedKernels, isUpToDate, KernelUnavailable } from './kernel.js';
import { currentRecipe } from './recipe.js';
import { putOnShelf } from './shelf.js';

describe('kernels in the cache', () => {
  const cache = ownCache();
  const put = (release: string, recipe = currentRecipe()): void => {
    const executable = join(cache.path, 'executable');
    writeFileSync(executable, `the kernel ${release}`);
    putOnShelf({ executable, config: 'CONFIG_NET=y\n', patches: '', release, recipe, source: 'a test' });
  };
  const releases = (): readonly string[] => installedKernels().map(({ release }) => release);

  it('are found by version, by release, and the newest of a major version', () => {
    for (const release of ['6.12.117', '7.10.1', '7.9.4', '6.1.192']) put(release);
    expect(findKernel('6.12').release).to.equal('6.12.117');
    expect(findKernel('6.1.192').version).to.equal('6.1');
    expect(findKernel('7.x').release).to.equal('7.10.1');
    expect(releases()).to.deep.equal(['6.1.192', '6.12.117', '7.9.4', '7.10.1']);
  });

  it('have their executable, configuration, checksum and size', () => {
    put('6.12.117');
    const { file, configFile, sha256, octets, source, builtAt } = findKernel('6.12');
    expect(readFileSync(file, 'utf8')).to.equal('the kernel 6.12.117');
    expect(readFileSync(configFile, 'utf8')).to.equal('CONFIG_NET=y\n');
    expect(octets).to.equal(19);
    expect(sha256).to.match(/^[0-9a-f]{64}$/);
    expect(source).to.equal('a test');
    expect(Date.now() - Date.parse(builtAt)).to.be.within(0, 60_000);
  });

  const refused = (version: string): string => {
    try {
      return `found ${findKernel(version).release}`;
    } catch (error) {
      expect(error).to.be.instanceOf(KernelUnavailable);
      return (error as KernelUnavailable).message;
    }
  };

  it('that are not there are refused with what builds them', () => {
    expect(refused('6.12')).to.match(/no Linux 6\.12 .*"lastack kernel build 6\.12"/);
    put('6.12.117');
    expect(refused('6.12.1')).to.match(/no Linux 6\.12\.1 .*"lastack kernel build 6\.12\.1"/);
    expect(refused('7.x')).to.match(/"lastack kernel build 7\.x"/);
    expect(refused('6')).to.match(/"6" is no kernel version.*6\.12/);
  });

  it('of an older recipe are refused, and say so, but do not hide those of today', () => {
    put('7.3.4', 'an older one');
    expect(refused('7.x')).to.match(/7\.3\.4 was built with patches.*changed.*"lastack kernel build 7\.x"/);
    expect(installedKernels().map(isUpToDate)).to.deep.equal([false]);
    put('7.2.1');
    expect(findKernel('7.x').release).to.equal('7.2.1');
  });

  it('that are not whole are as good as not there', () => {
    for (const release of ['5.10.1', '6.1.1', '6.12.1', '7.3.1']) put(release);
    const kernels = join(cache.path, 'kernels');
    truncateSync(join(kernels, '5.10', 'linux'), 3);
    writeFileSync(join(kernels, '6.1', 'kernel.json'), '{"version": ');
    rmSync(join(kernels, '6.12', 'linux'));
    mkdirSync(join(kernels, 'something else'));
    expect(releases()).to.deep.equal(['7.3.1']);
  });
});
