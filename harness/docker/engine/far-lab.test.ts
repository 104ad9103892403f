/** The docker lab, from the command line, in an engine that is reached by TLS or ssh: its wire runs there, in a sidecar. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { messageOf } from '../../text/index.js';
import { imageName } from '../images/index.js';
import { Engine } from './engine.js';
import { certificates, sshMissing, sshServer, tlsProxy } from './engine-proxy.fixture.js';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const REPRO = ['repro', 'lost-final-ack', '--lab', 'docker'] as const;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the docker lab in an engine of another machine', function () {
  this.timeout(120_000);
  let out: string;
  before(async function () {
    try {
      await using engine = await Engine.connect();
      for (const image of ['endpoint', 'wire'] as const)
        if (!(await engine.hasImage(imageName(image)))) throw new Error(`there is no ${imageName(image)}`);
    } catch (error) {
      process.stderr.write(`skipped: ${messageOf(error)}\n`);
      this.skip();
    }
  });
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'lastack-far-'));
  });
  afterEach(() => rmSync(out, { recursive: true }));

  function lastack(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
    const child = spawn(process.execPath, [MAIN, ...REPRO, '--out', out, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
  }

  /** Where the wire may not run here, it has run there. */
  async function playsThere(env: Readonly<Record<string, string>>): Promise<void> {
    const { code, stdout, stderr } = await lastack(env);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout)
      .to.match(/final ACK.*dropped by fault 1/)
      .and.to.match(/LAST-ACK/)
      .and.to.match(/^verdict: (pass|non-strict)/m);
    const here = await lastack(env, '--wire', 'here');
    expect(here.code).to.equal(3);
    expect(here.stderr).to.match(
      /^lastack: the wire cannot run here: .* is not of this machine.*--wire sidecar/,
    );
  }

  it('is played by TLS', async () => {
    const folder = certificates();
    try {
      await using proxy = await tlsProxy(folder.path);
      await playsThere({ DOCKER_HOST: proxy.host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder.path });
    } finally {
      folder.remove();
    }
  });

  it('is played by ssh', async function () {
    const missing = sshMissing();
    if (missing !== undefined) {
      process.stderr.write(`skipped: ${missing}\n`);
      this.skip();
    }
    await using server = await sshServer();
    await playsThere({ DOCKER_HOST: server.host, PATH: `${server.programs}:${process.env.PATH}` });
  });
});
