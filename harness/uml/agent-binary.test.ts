import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
      expect(readdirSync(join(folder, 'cache', 'agents'))).to.deep.equal([]);
    });
  }
});
