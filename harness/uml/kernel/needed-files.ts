/**
 * Which files of a kernel's source a User-Mode Linux kernel cannot need: other processors, drivers of hardware that it
 * cannot have, manuals. They are two thirds of the octets. The files that describe the configuration (Kconfig) and the
 * folders (Makefile) all stay, for the build reads them whether or not it compiles anything there.
 */
const under = (top: string, names: string): readonly string[] =>
  names.split(' ').map((name) => `${top}/${name}/`);
const PROCESSORS = [
  ...under('arch', 'alpha arc arm arm64 csky h8300 hexagon ia64 loongarch m68k microblaze mips nds32 nios2'),
  ...under('arch', 'openrisc parisc powerpc riscv s390 sh sparc xtensa'),
];
const DRIVERS = [
  ...under('drivers', 'accel clk crypto dma gpu hid hwmon iio infiniband input leds md media mfd mtd'),
  ...under('drivers', 'net/can net/dsa net/ethernet net/phy net/usb net/wan net/wireless'),
  ...under('drivers', 'phy pinctrl platform power regulator scsi soc staging usb video'),
];
/** Folders one deeper than one would write, so that include/sound and the like stay. */
const SOUND = under('sound', 'soc pci usb isa');
const FOREIGN = [...PROCESSORS, ...DRIVERS, ...SOUND];
/** Sources and device trees. */
const ENDINGS = ['.c', '.h', '.S', '.dts', '.dtsi'];

const TESTS = ['*/tools/testing/*', '*/tools/perf/*'];
const MANUALS = ['.rst', '.yaml', '.txt', '.svg', '.json'].map((ending) => `*/Documentation/*${ending}`);

/** For `tar --exclude`, whose asterisk stands for slashes too; each name comes with a first folder before it. */
export const UNNEEDED: readonly string[] = [
  ...FOREIGN.flatMap((folder) => ENDINGS.map((ending) => `*/${folder}*${ending}`)),
  ...MANUALS,
  ...TESTS,
];

/**
 * Leftovers of somebody's builds in a tree, named as `tar` does from within it, and the history. What was made for another
 * architecture would be taken for our own.
 */
export const LEFTOVERS: readonly string[] = [
  ...['.git', '.config', '.config.old', '.version', '.tmp_*', 'vmlinux*', 'linux', 'System.map'].map(
    (name) => `./${name}`,
  ),
  ...['include/config', 'include/generated', 'arch/*/include/generated'].map((name) => `./${name}`),
  ...['o', 'a', 'ko', 'mod', 'cmd', 'order'].map((ending) => `*.${ending}`),
];
