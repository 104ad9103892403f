import { execFileSync, spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { packInitramfs } from './initramfs.js';

const hasCpio = spawnSync('cpio', ['--version']).status === 0;

describe('packInitramfs', () => {
  const agent = Buffer.from('#!not really a program');

  it('makes the same archive of the same agent', () => {
    expect(packInitramfs(agent)).to.deep.equal(packInitramfs(Buffer.from(agent)));
    expect(packInitramfs(agent)).to.not.deep.equal(packInitramfs(Buffer.from('another')));
  });

  for (const length of [0, 1, 2, 3, 4])
    it(`begins each entry at a multiple of four, after ${length} octets too`, () => {
      const archive = Buffer.from(packInitramfs(new Uint8Array(length).fill(0x7f)));
      const starts = [...archive.toString('latin1').matchAll(/070701/g)].map(({ index }) => index);
      expect(starts).to.have.lengthOf(7);
      expect(starts.filter((start) => start % 4 !== 0)).to.deep.equal([]);
    });

  // Declared where it can run: cpio is the judge.
  if (hasCpio)
    it('is an archive that cpio reads: an executable /init, folders, and the nodes', () => {
      const listing = execFileSync('cpio', ['-itv', '--quiet'], { input: packInitramfs(agent) }).toString();
      const lines = listing
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/));
      expect(lines.map(([mode]) => mode)).to.deep.equal([
        'drwxr-xr-x',
        'drwxr-xr-x',
        'drwxr-xr-x',
        'crw-------',
        'crw-rw-rw-',
        '-rwxr-xr-x',
      ]);
      expect(lines.map((line) => line.at(-1))).to.deep.equal([
        'dev',
        'proc',
        'sys',
        'dev/console',
        'dev/null',
        'init',
      ]);
      expect(lines[3]?.slice(4, 6)).to.deep.equal(['5,', '1']);
      expect(lines[4]?.slice(4, 6)).to.deep.equal(['1,', '3']);
      const init = execFileSync('cpio', ['-i', '--quiet', '--to-stdout', 'init'], {
        input: packInitramfs(agent),
      });
      expect(init).to.deep.equal(agent);
    });
});
