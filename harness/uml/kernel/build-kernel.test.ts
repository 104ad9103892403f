import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildKernel, type KernelRequest } from './build-kernel.js';
import { ownCache, type TestFolder, testFolder } from './cache.fixture.js';
import { type FakeLinux, fakeLinux } from './fake-linux.fixture.js';
import { installedKernels } from './kernel.js';
import { checkTools } from './tools.js';

const hasTools = await checkTools().then(
  () => true,
  () => false,
);

// Declared where it can run.
if (hasTools) describe('building a kernel', () => theWholeBuild());

/** Of a small program in the place of Linux. */
function theWholeBuild(): void {
  const cache = ownCache();
  let folder: TestFolder;
  let linux: FakeLinux;
  beforeEach(() => {
    folder = testFolder();
    linux = fakeLinux(folder.path);
  });
  afterEach(() => folder.remove());

  const build = (request: KernelRequest = {}) =>
    buildKernel({ source: linux.tree, ...request }, linux.recipe);
  const refusal = (request: KernelRequest = {}): Promise<string> =>
    build(request).then(
      ({ kernel }) => `built ${kernel.release}`,
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const leftIn = (name: string): readonly string[] =>
    existsSync(join(cache.path, name)) ? readdirSync(join(cache.path, name)) : [];

  it('takes a tree, and leaves it as it is', async () => {
    linux.write('.git/config', 'somebody works here');
    linux.write('old.o', 'from another build');
    const before = execFileSync('ls', ['-lR', linux.tree]).toString();
    const { kernel } = await build();
    expect(kernel).to.deep.include({ version: '6.12', release: '6.12.5', source: linux.tree });
    expect(execFileSync(kernel.file).toString()).to.equal('unpatched\n');
    expect(execFileSync('ls', ['-lR', linux.tree]).toString()).to.equal(before);
  });

  it('takes a tarball', async () => {
    const { kernel } = await build({ source: linux.tarball(), version: '6.12' });
    expect(execFileSync(kernel.file).toString()).to.equal('unpatched\n');
  });

  it('configures what is wanted', async () => {
    linux.prescribe('config', '# What the lab needs.\nCONFIG_NET=y\nCONFIG_UNKNOWN=y\n');
    const { kernel } = await build();
    const config = readFileSync(kernel.configFile, 'utf8').split('\n');
    expect(config).to.include.members(['CONFIG_TINY=y', 'CONFIG_NET=y']);
  });

  it('leaves nothing but the kernel', async () => {
    await build();
    expect(leftIn('build')).to.deep.equal([]);
    expect(leftIn('logs')).to.deep.equal([]);
    expect(installedKernels()).to.have.lengthOf(1);
  });

  it('leaves its folder where it is wanted', async () => {
    const { keptFolder } = await build({ keep: true });
    expect(readdirSync(join(keptFolder ?? '', 'linux'))).to.include('main.c');
    await build(); // sweeps
    expect(existsSync(keptFolder ?? '')).to.equal(true);
  });

  it('tells how far it is', async () => {
    const steps: string[] = [];
    await build({
      onStep: ({ doing, percent = 0 }) => steps.push(`${doing} ${percent > 0 ? 'on' : 'start'}`),
    });
    expect([...new Set(steps)]).to.deep.equal([
      'copying the source start',
      'patching start',
      'configuring start',
      'compiling start',
      'compiling on',
    ]);
  });

  it('gives the same octets again', async () => {
    const sums: string[] = [];
    for (let i = 0; i < 2; i += 1) sums.push((await build()).kernel.sha256);
    expect(new Set(sums).size).to.equal(1);
  });

  it('may be done twice at once', async () => {
    const built = await Promise.all([build(), build(), build({ version: '6.x' })]);
    expect(built.map(({ kernel }) => kernel.release)).to.deep.equal(['6.12.5', '6.12.5', '6.12.5']);
    expect(leftIn('build')).to.deep.equal([]);
    expect(spawnSync(installedKernels()[0]?.file ?? '').stdout.toString()).to.equal('unpatched\n');
  });

  describe('that fails says why in one sentence', () => {
    const REFUSED: readonly (readonly [
      what: string,
      prepare: () => KernelRequest | undefined,
      says: RegExp,
    ])[] = [
      ['no version', () => ({ version: 'six' }), /^BuildError: "six" is no kernel version/],
      [
        'another version',
        () => ({ version: '6.1' }),
        /tree is the source of Linux 6\.12\.5 and not of 6\.1$/,
      ],
      ['no such source', () => ({ source: '/nowhere' }), /source \/nowhere cannot be read/],
      [
        'a folder of something else',
        () => {
          mkdirSync(join(folder.path, 'else'));
          return { source: join(folder.path, 'else') };
        },
        /else is no source of Linux: .*Makefile/,
      ],
      [
        'a file of something else',
        () => {
          writeFileSync(join(folder.path, 'else.tar'), 'not a tarball');
          return { source: join(folder.path, 'else.tar') };
        },
        /else\.tar could not be unpacked: .*not look like a tar archive.* \(log: .*\.log\)$/,
      ],
      [
        'a link that leads round',
        () => {
          symlinkSync('round', join(folder.path, 'round'));
          return { source: join(folder.path, 'round') };
        },
        /source .*round cannot be read/,
      ],
      [
        'an option that cannot be had',
        () => linux.prescribe('config', 'CONFIG_NET=y\nCONFIG_REFUSED=y\n') as undefined,
        /Linux 6\.12\.5 does not take CONFIG_REFUSED as its configuration wants/,
      ],
      [
        'another clock tick than ours',
        () => linux.write('arch/um/Kconfig', 'config HZ\n\tint\n\tdefault 100\n') as undefined,
        /Linux 6\.12\.5 does not take CONFIG_HZ/,
      ],
      [
        'source that does not compile',
        () => linux.write('main.c', 'int main(void) { return nothing; }\n') as undefined,
        /Linux 6\.12\.5 does not compile: main\.c:1:\d+: error: .*nothing.*\(log: .*\.log\)$/,
      ],
      [
        'a full disk',
        () =>
          linux.write(
            'Makefile',
            `${readFileSync(join(linux.tree, 'Makefile'), 'utf8').replace('@gcc', '@echo "a.c: No space left on device"; false')}`,
          ) as undefined,
        /there is no space left in .*LASTACK_CACHE/,
      ],
    ];
    for (const [what, prepare, says] of REFUSED)
      it(`for ${what}`, async () => {
        expect(await refusal(prepare() ?? {})).to.match(says);
        expect(leftIn('build')).to.deep.equal([]);
        expect(installedKernels()).to.deep.equal([]);
      });

    // Root can read everything.
    if (process.getuid?.() !== 0)
      it('for a tree of which not all can be read', async () => {
        linux.write('arch/um/secret', '');
        chmodSync(join(linux.tree, 'arch/um/secret'), 0);
        expect(await refusal()).to.match(/tree could not be copied \(log: .*\)$/);
      });

    it('and keeps the log for who wants to know more', async () => {
      linux.write('main.c', 'int main(void) { return nothing; }\n');
      const [, log = ''] = /\(log: (.*)\)$/.exec(await refusal()) ?? [];
      expect(readFileSync(log, 'utf8')).to.include('object-100.o').and.to.include('nothing');
    });
  });
}
