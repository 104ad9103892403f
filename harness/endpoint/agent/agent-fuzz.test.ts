import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const SOURCE = fileURLToPath(new URL('../../../../images/agent/fuzz.c', import.meta.url));
const FLAGS = ['-g', '-O1', '-std=gnu99', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const SECONDS = 3;
/** What the fuzzer ends with where it cannot go where it harms nobody. */
const SKIPPED = 77;

describe('the agent under hostile input', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-fuzz-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  function skip(context: Mocha.Context, why: string): void {
    process.stderr.write(`skipped: ${why}\n`);
    context.skip();
  }

  it('lives, answers each request once, and keeps its memory in order', function () {
    this.timeout(60_000);
    const fuzzer = join(folder, 'fuzz');
    const compiled = spawnSync('cc', [...FLAGS, '-o', fuzzer, SOURCE], { encoding: 'utf8' });
    if (compiled.error !== undefined)
      skip(this, 'the fuzzer cannot be compiled without a C compiler ("apt-get install gcc")');
    if (/cannot find .*(asan|ubsan)/.test(compiled.stderr))
      skip(
        this,
        'the compiler has no sanitizers ("apt-get install libasan8 libubsan1", or "dnf install libasan libubsan")',
      );
    expect(compiled.status, compiled.stderr).to.equal(0);
    const seed = Math.floor(Math.random() * 2 ** 32);
    const run = spawnSync(fuzzer, [String(SECONDS), String(seed)], { encoding: 'utf8' });
    if (run.status === SKIPPED) skip(this, run.stderr.trim());
    expect(run.status, `"fuzz ${SECONDS} ${seed}" said: ${run.stderr}`).to.equal(0);
    const messages = Number(/^(\d+) messages/.exec(run.stdout)?.[1]);
    expect(messages, run.stdout).to.be.greaterThan(1000);
  });
});
