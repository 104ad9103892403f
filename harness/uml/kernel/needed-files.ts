/**
 * Which files of a kernel's source a User-Mode Linux kernel cannot need: other processors, drivers of hardware that it
 * cannot have, manuals. They are two thirds of the octets. The files that describe the configuration (Kconfig) and the
 * folders (Makefile) all stay, for the build reads them whether or not it compiles anything there.
 */
import { sep } from 'node:path';

const PROCESSORS = [
  ...[
    'alpha',
    'arc',
    'arm',
    'arm64',
    'csky',
    'h8300',
    'hexagon',
    'ia64',
    'loongarch',
    'm68k',
    'microblaze',
    'mips',
  ],
  ...['nds32', 'nios2', 'openrisc', 'parisc', 'powerpc', 'riscv', 's390', 'sh', 'sparc', 'xtensa'],
].map((name) => `arch/${name}/`);
const DRIVERS = [
  ...[
    'accel',
    'clk',
    'crypto',
    'gpu',
    'hwmon',
    'iio',
    'infiniband',
    'media',
    'mfd',
    'net/ethernet',
    'net/wireless',
  ],
  ...['pinctrl', 'scsi', 'staging', 'usb', 'video'],
].map((name) => `drivers/${name}/`);
/** Folders one deeper than one would write, so that include/sound and the like stay. */
const SOUND = ['soc', 'pci', 'usb', 'isa'].map((name) => `sound/${name}/`);
const UNNEEDED = [...PROCESSORS, ...DRIVERS, ...SOUND, 'tools/testing/', 'tools/perf/'];
/** Sources and device trees. */
const ENDINGS = ['.c', '.h', '.S', '.dts', '.dtsi'];

/** For `tar --exclude`, whose asterisk stands for slashes too; each name comes with a first folder before it. */
export const TAR_EXCLUDED: readonly string[] = [
  ...UNNEEDED.flatMap((folder) => ENDINGS.map((ending) => `*/${folder}*${ending}`)),
  '*/Documentation/*/*',
];

/** Leftovers of somebody's builds in a tree, of another architecture's too: ours would take them for its own. */
const BUILT = new RegExp(
  [
    String.raw`(^|/)\.git(/|$)`,
    String.raw`\.(o|a|ko|mod|cmd|order)$`,
    String.raw`^(\.config(\.old)?|\.version|vmlinux.*|linux|System\.map|\.tmp_.*)$`,
    '^include/(config|generated)(/|$)',
    String.raw`^arch/\w+/include/generated(/|$)`,
  ].join('|'),
);

/** For a copy of a tree: whether a file or folder, named from the top of the tree, is wanted. */
export function isNeeded(path: string): boolean {
  const name = path.split(sep).join('/');
  if (BUILT.test(name)) return false;
  if (ENDINGS.some((ending) => name.endsWith(ending)) && UNNEEDED.some((folder) => name.startsWith(folder)))
    return false;
  return !/^Documentation\/.*\//.test(name);
}
