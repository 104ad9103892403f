import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { agentBinary } from './agent-binary.js';

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const SOURCE = '#include <stdio.h>\nint main(void) { return puts("an agent") < 0; }\n';

describe('the agent', () => {
  const { LASTACK_CACHE, PATH } = process.env;
  let folder: string;
  let source: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-agent-'));
    source = join(folder, 'agent.c');
    process.env.LASTACK_CACHE = join(folder, 'cache');
    writeFileSync(source, SOURCE);
  });
  afterEach(() => {
    process.env.PATH = PATH;
    if (LASTACK_CACHE === undefined) delete process.env.LASTACK_CACHE;
    else process.env.LASTACK_CACHE = LASTACK_CACHE;
    rmSync(folder, { recursive: true });
  });
  const refusal = (): Promise<string> =>
    agentBinary(source).then(
      (file) => `made ${file}`,
      (error: Error) => `${error.name}: ${error.message}`,
    );

  it('without any compiler is refused with what installs one', async () => {
    process.env.PATH = folder;
    expect(await refusal()).to.match(/^BuildError: .*no C compiler: "apt-get install gcc.*dnf/);
  });

  it('is compiled by nobody any more once the command was interrupted', async () => {
    // Like gcc: the work is another process's.
    const compiler = join(folder, 'cc');
    const says = join(folder, 'at-work');
    writeFileSync(
      compiler,
      `#!/bin/sh\n[ "$1" = --version ] && exit\nsleep 1000 & echo $! > ${says}.new; mv ${says}.new ${says}; wait\n`,
    );
    chmodSync(compiler, 0o755);
    const main = `import { agentBinary } from '${new URL('./agent-binary.js', import.meta.url)}';
process.on('SIGINT', () => process.exit(130));
await agentBinary('${source}');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', main], {
      env: { ...process.env, PATH: `${folder}:${PATH}` },
      stdio: 'inherit',
      detached: true,
    });
    const exit = once(child, 'exit');
    while (!existsSync(says)) await setTimeout(5);
    const worker = readFileSync(says, 'latin1').trim();
    process.kill(-(child.pid ?? 0), 'SIGINT');
    expect(await exit).to.deep.equal([130, null]);
    while (existsSync(`/proc/${worker}/cwd`)) await setTimeout(5);
    expect(readdirSync(join(folder, 'cache', 'build'))).to.deep.equal([]);
  });

  // Declared where it can run.
  if (hasCompiler) {
    it('is one static program, made once', async () => {
      const file = await agentBinary(source);
      expect(execFileSync(file).toString()).to.equal('an agent\n');
      expect(execFileSync('readelf', ['-l', file]).toString()).to.not.include('INTERP');
      const { ino } = statSync(file);
      expect(await agentBinary(source)).to.equal(file);
      expect(statSync(file).ino).to.equal(ino);
    });

    it('is another one when its source changes', async () => {
      const before = await agentBinary(source);
      writeFileSync(source, SOURCE.replace('an agent', 'another'));
      const after = await agentBinary(source);
      expect(after).to.not.equal(before);
      expect(execFileSync(after).toString()).to.equal('another\n');
    });

    it('is still there when the compiler has gone', async () => {
      const file = await agentBinary(source);
      process.env.PATH = folder;
      expect(await agentBinary(source)).to.equal(file);
    });

    it('may be asked for by many at once', async () => {
      const files = await Promise.all(Array.from({ length: 4 }, () => agentBinary(source)));
      expect(new Set(files).size).to.equal(1);
      expect(readdirSync(join(folder, 'cache', 'agents'))).to.have.lengthOf(1);
    });

    it('that does not compile is refused with the compiler’s first complaint', async () => {
      writeFileSync(source, 'int main(void) { return nothing; }\n');
      expect(await refusal()).to.match(
        /^BuildError: the agent cannot be compiled: .*agent\.c:1:\d+: error: .*nothing/,
      );
      expect(existsSync(join(folder, 'cache', 'agents'))).to.equal(false);
      expect(readdirSync(join(folder, 'cache', 'build'))).to.deep.equal([]);
    });
  }
});
