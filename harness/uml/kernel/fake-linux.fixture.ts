/** For tests: a tree that looks like Linux to the build and takes no time, and a recipe for it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAKEFILE = `# SPDX-License-Identifier: GPL-2.0
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 5
EXTRAVERSION =

mrproper:
	@rm -f .config
tinyconfig:
	@echo CONFIG_TINY=y >.config
# Options that this Linux refuses, and one that it takes from Kconfig.
olddefconfig:
	@sed -i '/CONFIG_REFUSED/d; /CONFIG_UNKNOWN/d' .config
	@echo CONFIG_HZ=$$(sed -n 's/^\\tdefault //p' arch/um/Kconfig) >>.config
linux:
	@for i in $$(seq 100); do echo "  CC      object-$$i.o"; done
	@gcc -o linux main.c
`;

const KCONFIG = `config HZ
	int
	default 1000

config REFUSED
	bool
`;

export interface FakeLinux {
  readonly tree: string;
  readonly recipe: string;
  /** Changes or adds a file of the tree. */
  write(file: string, text: string): void;
  /** Changes or adds a file of the recipe. */
  prescribe(file: string, text: string): void;
  /** Packs the tree as it is now. */
  tarball(): string;
}

export function fakeLinux(folder: string): FakeLinux {
  const [tree, recipe] = [join(folder, 'tree'), join(folder, 'recipe')];
  const writeIn = (top: string) => (file: string, text: string) => {
    mkdirSync(join(top, file, '..'), { recursive: true });
    writeFileSync(join(top, file), text);
  };
  const [write, prescribe] = [writeIn(tree), writeIn(recipe)];
  write('Makefile', MAKEFILE);
  write('arch/um/Kconfig', KCONFIG);
  write(
    'main.c',
    '#define GREETING "unpatched"\n#include <stdio.h>\nint main(void) { return puts(GREETING) < 0; }\n',
  );
  prescribe('config', 'CONFIG_NET=y\n');
  mkdirSync(join(recipe, 'patches'), { recursive: true });
  return {
    tree,
    recipe,
    write,
    prescribe,
    tarball: () => {
      cpSync(tree, join(folder, 'linux-6.12.5'), { recursive: true });
      execFileSync('tar', ['-C', folder, '-cJf', join(folder, 'linux.tar.xz'), 'linux-6.12.5']);
      return join(folder, 'linux.tar.xz');
    },
  };
}
