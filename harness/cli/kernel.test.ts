import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { answer } from './command-line.js';
import {
  isOneSentence,
  lastack,
  needsOrdinaryUser,
  ORDINARY,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

describe('lastack kernel', () => {
  let folder: TemporaryFolder;
  const kernel = (args: readonly string[], env: Readonly<Record<string, string>> = {}, uid?: number) =>
    lastack(['kernel', ...args], {
      folder: folder.path,
      env: { LASTACK_CACHE: join(folder.path, 'cache'), ...env },
      ...(uid === undefined ? {} : { uid }),
    });
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  /** A kernel as the build leaves it, but for what it does. */
  function put(version: string, recipe: string): void {
    const place = join(folder.path, 'cache', 'kernels', version);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'linux'), 'kernel');
    writeFileSync(join(place, 'config'), '');
    const record = { version, release: `${version}.7`, sha256: 'a'.repeat(64), recipe };
    writeFileSync(
      join(place, 'kernel.json'),
      JSON.stringify({ ...record, builtAt: '2026-01-02T03:04:05Z', source: 'a test', octets: 6 }),
    );
  }

  for (const [what, args, named] of [
    ['no version', ['build'], /6\.12.*--source/],
    ['a version that is none', ['build', '6.12', 'six'], /"six".*6\.12/],
    ['two versions of one source', ['build', '6.1', '6.12', '--source', '.'], /--source/],
    ['a kernel to remove that is not there', ['remove', '6.12'], /no Linux 6\.12 .*there is none/],
    ['nothing to remove', ['remove'], /versions/],
    ['an unknown option', ['build', '6.12', '--forse'], /--forse/],
    ['an unknown command', ['biuld', '6.12'], /biuld/],
  ] as const)
    it(`is told in one sentence of ${what}`, async () => {
      const { code, stdout, stderr } = await kernel(args);
      expect(stderr).to.match(named).and.to.satisfy(isOneSentence);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    });

  it('alone shows its commands, and is wrong all the same', async () => {
    const { code, stderr } = await kernel([]);
    expect(code).to.equal(2);
    expect(stderr).to.include('build').and.to.include('remove');
  });

  it('says of help that was asked for that it is no error', async () => {
    const { write } = process.stdout;
    process.stdout.write = () => true;
    try {
      expect(await answer(['kernel', 'build', '--help'])).to.equal(0);
    } finally {
      process.stdout.write = write;
    }
  });

  it('names the tools that are missing, all at once, and what installs them', async () => {
    const { code, stdout, stderr } = await kernel(['build', '6.12'], { PATH: join(folder.path, 'nowhere') });
    expect(stderr)
      .to.match(/gcc, .*flex, bison.*"apt-get install gcc /)
      .and.to.satisfy(isOneSentence);
    expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' });
  });

  it('names a folder that cannot be written', async () => {
    writeFileSync(join(folder.path, 'file'), '');
    const { code, stderr } = await kernel(['build', '6.12'], {
      LASTACK_CACHE: join(folder.path, 'file', 'in'),
    });
    expect(stderr)
      .to.match(/LASTACK_CACHE/)
      .and.to.satisfy(isOneSentence);
    expect(code).to.equal(3);
  });

  it('lists the kernels with their age, and those that are out of date', async () => {
    put('6.1', 'an older recipe');
    const { code, stdout, stderr } = await kernel(['list']);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(
      /^ +6\.1 +6\.1\.7 +0\.0 MB +2026-01-02 03:04 +out of date: "lastack kernel build 6\.1"/,
    );
  });

  it('lists nothing where there is nothing, and what to do', async () => {
    const { code, stdout } = await kernel(['list']);
    expect(stdout).to.match(/no kernel.*"lastack kernel build 6\.12"/);
    expect(code).to.equal(0);
  });

  it('removes what is named: a version, a release, or all of a major version', async () => {
    for (const version of ['5.10', '6.1', '6.12', '7.2', '7.3']) put(version, '');
    // Half a kernel goes too.
    writeFileSync(join(folder.path, 'cache', 'kernels', '5.10', 'kernel.json'), '');
    const { code, stdout } = await kernel(['remove', '5.10', '6.12.7', '7.x']);
    expect(stdout).to.equal(['5.10', '6.12', '7.2', '7.3'].map((each) => `Linux ${each} removed\n`).join(''));
    expect(code).to.equal(0);
    expect(readdirSync(join(folder.path, 'cache', 'kernels'))).to.deep.equal(['6.1']);
  });

  it('removes nothing when one of several is not there', async () => {
    put('6.1', '');
    const { code, stderr } = await kernel(['remove', '6.1', '6.2']);
    expect(stderr).to.match(/no Linux 6\.2 .*there is 6\.1$/m);
    expect(code).to.equal(2);
    expect(readdirSync(join(folder.path, 'cache', 'kernels'))).to.deep.equal(['6.1']);
  });

  it('does not follow a link out of the cache', async () => {
    const outside = join(folder.path, 'outside');
    mkdirSync(join(outside, 'precious'), { recursive: true });
    mkdirSync(join(folder.path, 'cache', 'kernels'), { recursive: true });
    symlinkSync(outside, join(folder.path, 'cache', 'kernels', '6.12'));
    symlinkSync('../../outside', join(folder.path, 'cache', 'kernels', '7.3'));
    expect((await kernel(['remove', '6.12', '7.3'])).code).to.equal(0);
    expect(readdirSync(outside)).to.deep.equal(['precious']);
  });

  describe('as an ordinary user', () => {
    before(needsOrdinaryUser);
    it('lists too', async () => {
      const { code, stderr } = await kernel(['list'], {}, ORDINARY);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    });
  });
});
