import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { netnsCapability } from '../lab/index.js';

const MOCHA = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'));
const SETUP = fileURLToPath(new URL('./setup.js', import.meta.url));

/** A suite of one scenario whose checks say of any trace what they are called. */
const suite = (known: readonly string[]): string => `
  import { conformance } from '${new URL('../index.js', import.meta.url).href}';
  const check = (verdict) => ({
    id: verdict,
    sentence: 'It may ' + verdict + '.',
    requirements: ['MUST-13'],
    judge: () => ({ verdict, finding: 'seen', evidence: [] }),
    mutate: (trace) => trace,
  });
  const one = {
    id: 'mine/one', title: 'ensures it', ipVersions: [4], play: async () => {}, checks: [check('fail'), check('pass')],
  };
  const known = ${JSON.stringify(known)}.map((check) => (
    { stack: 'linux', check, verdict: 'fail', reason: 'it is like that', link: 'there' }
  ));
  conformance('mine', [one], { known });`;

describe('a suite with known deviations, run by mocha', () => {
  let folder: string;
  before(function () {
    const { way, sentence } = netnsCapability();
    if (way !== 'none') return;
    process.stderr.write(`skipped: ${sentence}\n`);
    this.skip();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-mocha-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function told(...known: readonly string[]): { readonly failed: number | null; readonly stdout: string } {
    const file = join(folder, 'mine.suite.mjs');
    writeFileSync(file, suite(known));
    const args = [MOCHA, '--no-config', '--reporter', 'spec', '--require', SETUP, file];
    const { LASTACK_LAB: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env });
    return { failed: status, stdout };
  }

  it('passes where a check fails that is listed, and its test says why', () => {
    const { failed, stdout } = told('fail');
    expect(stdout).to.include('It may fail. (MUST-13) [fail, known: it is like that (there)]');
    expect(stdout).to.include('1 fail (known)');
    expect(failed, stdout).to.equal(0);
  });

  it('fails where it is not listed', () => {
    expect(told().failed).to.equal(1);
  });

  it('fails where a check passes that is listed, and says what to do', () => {
    const { failed, stdout } = told('fail', 'pass');
    expect(stdout).to.include(
      'an unexpected pass, listed as fail (it is like that): take it off the list: seen',
    );
    expect(failed, stdout).to.equal(1);
  });
});
