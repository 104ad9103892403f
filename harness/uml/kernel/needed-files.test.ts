import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type TestFolder, testFolder } from './cache.fixture.js';
import { LEFTOVERS, UNNEEDED } from './needed-files.js';

const NEEDED = [
  'Documentation/Kconfig',
  'Documentation/devicetree/bindings/Makefile',
  'Makefile',
  'arch/arm/crypto/Kconfig',
  'arch/um/kernel/time.c',
  'arch/x86/um/asm/ptrace.h',
  'drivers/gpu/Makefile',
  'drivers/gpu/drm/Kconfig',
  'drivers/net/macvlan.c',
  'include/linux/scsi/usb.h',
  'include/linux/version.h',
  'include/sound/pcm.h',
  'include/sound/sof/info.h',
  'net/ipv4/tcp_input.c',
  'scripts/kconfig/parser.y',
];
const NOT_NEEDED = [
  'Documentation/networking/ip-sysctl.rst',
  'arch/arm/kernel/setup.c',
  'arch/arm64/boot/dts/board.dtsi',
  'drivers/gpu/drm/drm_drv.c',
  'sound/soc/codecs/x.h',
];
const BUILT = [
  '.config',
  '.git/config',
  'arch/x86/include/generated/asm/unistd.h',
  'include/generated/autoconf.h',
  'linux',
  'net/ipv4/.tcp_input.o.cmd',
  'net/ipv4/tcp_input.o',
  'vmlinux.o',
];

/** tar is the judge: it is what reads the patterns. */
describe('the files of a source', () => {
  let folder: TestFolder;
  beforeEach(() => {
    folder = testFolder();
    for (const file of [...NEEDED, ...NOT_NEEDED, ...BUILT]) {
      mkdirSync(join(folder.path, 'linux-6.12', file, '..'), { recursive: true });
      writeFileSync(join(folder.path, 'linux-6.12', file), '');
    }
  });
  afterEach(() => folder.remove());

  const excluding = (patterns: readonly string[]): readonly string[] =>
    patterns.map((pattern) => `--exclude=${pattern}`);
  const filesIn = (top: string): readonly string[] =>
    readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(top, name)).isFile())
      .sort();

  it('that matter are unpacked from a tarball', () => {
    const tarball = join(folder.path, 'linux.tar');
    const target = join(folder.path, 'unpacked');
    mkdirSync(target);
    execFileSync('tar', ['-C', folder.path, '-cf', tarball, 'linux-6.12']);
    execFileSync('tar', [...excluding(UNNEEDED), '--strip-components=1', '-C', target, '-xf', tarball]);
    expect(filesIn(target)).to.deep.equal([...NEEDED, ...BUILT].sort());
  });

  it('that matter, and were not built, are copied from a tree', () => {
    const tree = join(folder.path, 'linux-6.12');
    const target = join(folder.path, 'copied');
    mkdirSync(target);
    const copy = execFileSync('tar', [
      '-C',
      tree,
      ...excluding([...UNNEEDED, ...LEFTOVERS]),
      '-cf',
      '-',
      '.',
    ]);
    execFileSync('tar', ['-C', target, '-xf', '-'], { input: copy });
    expect(filesIn(target)).to.deep.equal(NEEDED);
  });
});
