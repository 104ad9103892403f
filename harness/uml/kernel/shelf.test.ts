import { mkdirSync, readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { ownCache } from './cache.fixture.js';
import { installedKernels } from './kernel.js';
import { namesOnShelf, putOnShelf, takeFromShelf } from './shelf.js';

describe('the shelf of kernels', () => {
  const cache = ownCache();
  const kernels = (): string => join(cache.path, 'kernels');
  const put = (text: string, release = '6.12.1'): void => {
    const executable = join(cache.path, 'executable');
    writeFileSync(executable, text);
    putOnShelf({ executable, config: '', patches: '', recipe: '', release, source: 'a test' });
  };

  it('has one kernel of a version: a new one takes the place of the old', () => {
    put('old', '6.12.1');
    put('newer', '6.12.2');
    expect(installedKernels().map(({ release, octets }) => [release, octets])).to.deep.equal([['6.12.2', 5]]);
  });

  it('lets a kernel take the place of a folder that somebody has copied there', () => {
    mkdirSync(join(kernels(), '6.12', 'deep'), { recursive: true });
    put('new');
    expect(installedKernels()).to.have.lengthOf(1);
  });

  it('gives kernels away without a rest', () => {
    put('a', '6.12.1');
    put('b', '7.3.1');
    expect(takeFromShelf('6.12')).to.equal(true);
    expect(takeFromShelf('6.12')).to.equal(false);
    expect(namesOnShelf()).to.deep.equal(['7.3']);
    expect(readdirSync(kernels())).to.have.lengthOf(2);
  });

  const age = (folder: string): void => {
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    utimesSync(join(kernels(), folder), hoursAgo, hoursAgo);
  };

  it('is rid of what was replaced, or left by killed builds, an hour later', () => {
    put('a', '6.12.1');
    const first = readlinkSync(join(kernels(), '6.12'));
    age(first); // it was built long ago
    put('b', '6.12.2');
    const second = readlinkSync(join(kernels(), '6.12'));
    age(second);
    for (const name of ['.7.3.1-1-old', '.7.3.1-1-young']) mkdirSync(join(kernels(), name));
    age('.7.3.1-1-old');
    put('c', '7.2.1');
    const third = readlinkSync(join(kernels(), '7.2'));
    expect(readdirSync(kernels())).to.have.members(['6.12', '7.2', '.7.3.1-1-young', first, second, third]);
    age(first);
    put('d', '7.3.1');
    expect(readdirSync(kernels())).to.include.members(['6.12', second]).and.not.include(first);
  });

  it('shows a whole kernel at every moment while two processes replace it again and again', async () => {
    put('first');
    const module = new URL('./shelf.js', import.meta.url).href;
    const writer = (name: string): ReturnType<typeof execa> =>
      execa(process.execPath, [
        '--input-type=module',
        '--eval',
        `import { writeFileSync } from 'node:fs';
         import { putOnShelf } from ${JSON.stringify(module)};
         const executable = ${JSON.stringify(join(cache.path, name))};
         for (let i = 1; i <= 100; i += 1) {
           writeFileSync(executable, '${name}'.repeat(i));
           putOnShelf({ executable, config: '', patches: '', recipe: '', release: '6.12.' + i, source: '${name}' });
         }`,
      ]);
    let isOver = false;
    const writers = Promise.all([writer('a'), writer('b')]).finally(() => {
      isOver = true;
    });
    const seen: string[] = [];
    while (!isOver) {
      const link = readFileSync(join(kernels(), '6.12', 'kernel.json'), 'utf8');
      seen.push((JSON.parse(link) as { release: string }).release);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writers;
    expect(new Set(seen).size).to.be.above(10);
    expect(installedKernels().map(({ release }) => release)).to.deep.equal(['6.12.100']);
  });
});
