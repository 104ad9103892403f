import { expect } from 'chai';
import { isNeeded } from './needed-files.js';

describe('the files of a source', () => {
  for (const path of [
    'Makefile',
    'net/ipv4/tcp_input.c',
    'arch/um/kernel/time.c',
    'arch/x86/um/asm/ptrace.h',
    'arch/arm/crypto/Kconfig',
    'drivers/gpu/drm/Kconfig',
    'drivers/gpu/Makefile',
    'drivers/net/macvlan.c',
    'include/sound/pcm.h',
    'include/linux/scsi/usb.h',
    'Documentation/Kconfig',
    'arch/um',
    'scripts/kconfig/parser.y',
  ])
    it(`include ${path}`, () => expect(isNeeded(path)).to.equal(true));

  for (const path of [
    '.git',
    '.git/config',
    '.config',
    'vmlinux',
    'linux',
    'net/ipv4/tcp_input.o',
    'net/ipv4/.tcp_input.o.cmd',
    'include/generated/autoconf.h',
    'arch/x86/include/generated/asm/unistd.h',
    'arch/arm/kernel/setup.c',
    'arch/arm64/boot/dts/board.dtsi',
    'drivers/gpu/drm/drm_drv.c',
    'sound/soc/codecs/x.h',
    'Documentation/networking/ip-sysctl.rst',
  ])
    it(`go without ${path}`, () => expect(isNeeded(path)).to.equal(false));
});
