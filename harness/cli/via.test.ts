import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { toxiproxyScenarios } from '../../suites/toxiproxy/index.js';
import { EngineError } from '../docker/index.js';
import { closeSharedEngine, netnsCapability } from '../lab/index.js';
import { viaPlace } from '../run/index.js';
import { findToxiproxyServer } from '../toxiproxy/index.js';
import { EXIT } from './exit.js';
import { lastack, type TemporaryFolder, temporaryFolder } from './spawned.fixture.js';

describe('lastack with Toxiproxy in the middle', function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  it('lists its scenarios by name', async () => {
    const { code, stdout } = await lastack(['list', 'toxiproxy'], { folder: folder.path });
    expect(code).to.equal(EXIT.asExpected);
    for (const { id } of toxiproxyScenarios) expect(stdout).to.include(`  ${id}  [`);
  });

  it('refuses a lab in which time is not real', async () => {
    const { code, stderr } = await lastack(['run', 'toxiproxy', '--lab', 'virtual'], { folder: folder.path });
    expect(code).to.equal(EXIT.usage);
    expect(stderr).to.include('Toxiproxy runs in real time, and not in the virtual lab');
  });

  it('says in one sentence that there is no engine for containers', async () => {
    const env = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
    const args = ['repro', 'toxiproxy/down', '--lab', 'docker'];
    const { code, stderr } = await lastack(args, { folder: folder.path, env });
    expect(code).to.equal(EXIT.environment);
    expect(stderr).to.match(/^lastack: [^\n]*\/nowhere\/docker\.sock[^\n]*\n$/);
  });

  it('shows one that is played between containers', async function () {
    try {
      await viaPlace({ lab: 'docker' })?.ready();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
      return this.skip();
    } finally {
      await closeSharedEngine();
    }
    const args = ['repro', 'toxiproxy/down', '--lab', 'docker', '--ip', '6', '--out', 'out'];
    const { code, stdout } = await lastack(args, { folder: folder.path });
    expect(code, stdout).to.equal(EXIT.asExpected);
    for (const text of ['client and proxy:', 'verdict: pass (3 pass)']) expect(stdout).to.include(text);
    const trace = readFileSync(join(folder.path, 'out', 'toxiproxy-down-client-leg-ipv6.trace.json'), 'utf8');
    expect(JSON.parse(trace)).to.have.property('lab', 'docker');
  });

  it('says in one sentence that there is no such server', async () => {
    const env = { LASTACK_TOXIPROXY: '/nowhere/server' };
    const { code, stderr } = await lastack(['repro', 'toxiproxy/down'], { folder: folder.path, env });
    expect(code).to.equal(EXIT.environment);
    expect(stderr).to.equal(
      'lastack: LASTACK_TOXIPROXY names /nowhere/server, and there is no such file: give the path of a Toxiproxy server, or unset it\n',
    );
  });

  describe('where there is one', () => {
    const server = findToxiproxyServer();
    before(function () {
      const { way, sentence } = netnsCapability();
      if (server !== undefined && way !== 'none') return;
      process.stderr.write(`skipped: ${way === 'none' ? sentence : 'there is no Toxiproxy server'}\n`);
      this.skip();
    });
    // The cache is elsewhere for a command with another home.
    const env = server === undefined ? {} : { LASTACK_TOXIPROXY: server.path };

    it('shows one with the ladders of both legs, and writes the files of both', async () => {
      const args = ['repro', 'toxiproxy/down-while-connected', '--out', 'out'];
      const { code, stdout } = await lastack(args, { folder: folder.path, env });
      expect(code, stdout).to.equal(EXIT.asExpected);
      for (const text of ['client and proxy:', 'proxy and server:', 'verdict: pass (5 pass)', 'ECONNREFUSED'])
        expect(stdout).to.include(text);
      for (const leg of ['client', 'server'])
        for (const kind of ['trace.json', 'pcapng', 'verdicts.json'])
          expect(
            existsSync(join(folder.path, 'out', `toxiproxy-down-while-connected-${leg}-leg-ipv4.${kind}`)),
          ).to.equal(true);
    });

    it('runs several, one line each, with IPv6', async () => {
      const args = ['run', 'toxiproxy/limit-data-*', 'toxiproxy/down', '--ip', '6', '--out', 'out'];
      const { code, stdout } = await lastack(args, { folder: folder.path, env });
      expect(code, stdout).to.equal(EXIT.asExpected);
      expect(stdout).to.include('3 of 3 as the table says');
    });
  });
});
