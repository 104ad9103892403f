/** Client and server in a Docker engine each, which a network of that name in both connects: from the command line. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { Engine } from '../docker/index.js';
import { attachCapability } from '../lab/index.js';
import { needsEngine } from './docker-life.fixture.js';
import { SecondHost } from './second-host.fixture.js';
import { lastack, type TemporaryFolder, temporaryFolder } from './spawned.fixture.js';

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe('the docker lab with an engine for each side', function () {
  this.timeout(120_000);
  let folder: TemporaryFolder;
  let engine: Engine;
  let second: SecondHost;
  before(async function () {
    const { works, sentence } = attachCapability();
    const missing = ['dockerd', 'nsenter', 'ip'].find((program) => !has(program));
    if (!works || missing !== undefined || process.getuid?.() !== 0) {
      process.stderr.write(`skipped: ${missing === undefined ? sentence : `there is no ${missing} here`}\n`);
      this.skip();
    }
    engine = await needsEngine(this, ['endpoint']);
    folder = temporaryFolder();
    second = await SecondHost.start(engine);
  });
  after(async () => {
    await second?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
    folder?.remove();
  });

  const repro = (server: string) =>
    lastack(
      [
        ...['repro', 'lost-final-ack', '--lab', 'docker', '--wire', 'here', '--out', 'out'],
        ...[
          '--client-engine',
          process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock',
          '--server-engine',
          server,
        ],
        ...['--network', second.network],
      ],
      { folder: folder.path },
    );

  it('loses the final ACK between them, and says what nobody saw', async () => {
    const { code, stdout, stderr } = await repro(second.host);
    expect(stderr).to.equal('');
    expect(stdout).to.match(/final ACK.*dropped by fault 1/);
    expect(stdout).to.match(/✓ pass +The server passes through ESTABLISHED, CLOSE-WAIT, LAST-ACK, CLOSED/);
    expect(stdout).to.match(
      /\? inconclusive +The client passes through[^?]*nobody watched the states of the client/,
    );
    expect(stdout).not.to.match(/✗ fail/);
    expect(code).to.equal(1);
  });

  it('says that one of them is away', async () => {
    const { code, stderr } = await repro(`unix://${folder.path}/nowhere`);
    expect(stderr).to.match(/^lastack: there is no socket .*nowhere[^\n]*\n$/);
    expect(code).to.equal(3);
  });
});
