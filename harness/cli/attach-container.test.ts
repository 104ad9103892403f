/** Attaching to nginx in a container, by the names that people have for it, with curl in another container as its client. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Engine, imageName } from '../docker/index.js';
import { type Attached, attached } from './attached.fixture.js';
import {
  ComposeProject,
  HTTP_PORT,
  needsContainers,
  rulesOfPid,
  WebContainers,
} from './containers.fixture.js';
import {
  type Ended,
  isOneSentence,
  lastack,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const PORT = ['--port', String(HTTP_PORT)];
const LOST = ['--fault', 'drop final-ack once', '--until', '2nd copy of final-ack', '--for', '20s'];
const REPAIRED = /fault 1 \(drop final-ack once\): matched 2, acted on 1$/m;
const LEFT_NOTHING = /left behind: nothing \((\d) of \1 rules taken out again\)/;

function expectRefusal({ code, stderr }: Ended, named: RegExp, expected: number): void {
  expect(stderr).to.match(named).and.to.satisfy(isOneSentence);
  expect(code).to.equal(expected);
}

describe('lastack attach to a container', function () {
  this.timeout(90_000);
  let engine: Engine;
  let containers: WebContainers;
  let folder: TemporaryFolder;
  before(async function () {
    engine = await needsContainers(this);
    containers = await WebContainers.start(engine);
  });
  after(async () => {
    await containers?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  const attach = (target: string, ...args: readonly string[]): Promise<Attached> =>
    attached([target, ...PORT, ...args], { folder: folder.path });

  const CLOSINGS = [
    {
      first: 'nginx',
      request: ['-H', 'Connection: close'],
      lost: /final ACK .*\n.*dropped at the sender's output by fault 1/,
      states: ['ESTABLISHED', 'FIN-WAIT-1', 'TIME-WAIT'],
    },
    {
      first: 'curl',
      request: [],
      lost: /final ACK.*dropped by fault 1/,
      states: ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'],
    },
  ] as const;
  for (const { first, request, lost, states } of CLOSINGS)
    it(`loses the final ACK where ${first} closes first, and shows how it is repaired`, async () => {
      const { web } = containers;
      const pcap = join(folder.path, 'lost.pcapng');
      const run = await attach(web.name, ...LOST, '--pcap', pcap);
      expect(rulesOfPid(web.pid)).to.be.oneOf([4, 8]);
      expect(await containers.curl(...request)).to.equal('nginx answers\n');
      const { code, stdout, stderr } = await run.ended;
      expect(stderr).to.equal('');
      expect(stdout).to.include(
        `attached to container ${web.name} (${imageName('tools')}, process ${web.pid}): port ${HTTP_PORT} listens at`,
      );
      expect(stdout).to.match(lost).and.to.match(REPAIRED).and.to.match(LEFT_NOTHING);
      for (const state of states) expect(stdout).to.include(state);
      expect(code).to.equal(0);
      expect(rulesOfPid(web.pid)).to.equal(0);
      expectCapture(pcap);
    });

  function expectCapture(pcap: string): void {
    const filter = ['-Y', 'tcp.flags.fin == 1', '-T', 'fields', '-e', 'tcp.srcport'];
    const { status, stdout, stderr, error } = spawnSync('tshark', ['-r', pcap, ...filter], {
      encoding: 'utf8',
    });
    if (error !== undefined) {
      process.stderr.write('skipped: that tshark reads the capture, since it is missing\n');
      return;
    }
    expect(status, stderr).to.equal(0);
    const ports = stdout.trim().split('\n');
    expect(ports).to.include(String(HTTP_PORT));
    expect(ports.filter((port) => port !== String(HTTP_PORT))).not.to.be.empty;
  }

  /** One more beside nginx, which has no connection yet. */
  const passing = () =>
    engine.start({
      image: imageName('tools'),
      purpose: 'passing',
      command: ['sleep', '600'],
      network: { of: containers.network },
    });
  const curlFrom = (id: string) =>
    engine.execute(id, ['curl', '-s', `http://${containers.web.ip(4)}:${HTTP_PORT}/`]);

  it('attaches to the client: nothing listens there, and it says what shows all the same', async () => {
    await using client = await passing();
    const run = await attach(client.id.slice(0, 12), '--until', 'final-ack', '--for', '20s');
    await curlFrom(client.id);
    const { code, stdout } = await run.ended;
    expect(stdout).to.match(
      /^remark: nothing listens there, and only connections that it opens to port 8080/m,
    );
    expect(stdout).to.include('handshake ACK').and.to.match(LEFT_NOTHING);
    expect(code).to.equal(0);
  });

  it('names the ports that do listen where the one that was given does not', async () => {
    const args = [containers.web.name, '--port', '81', '--for', '200ms'];
    const { code, stdout } = await (await attached(args, { folder: folder.path })).ended;
    expect(stdout).to.match(/nothing listens at port 81, 0 connections there/);
    expect(stdout).to.match(
      /^remark: port 8080 listens there, and only connections that it opens to port 81/m,
    );
    expect(code).to.equal(0);
  });

  it('says that the container has ended meanwhile, and shows what was seen', async () => {
    await using client = await passing();
    const run = await attach(client.name);
    await curlFrom(client.id);
    await run.says(/SYN,ACK/);
    await client.kill('SIGKILL');
    const end = await run.ended;
    expectRefusal(end, /container \S+ \(\S+, process \d+\) has ended while lastack was attached/, 3);
    expect(end.stdout).to.include('handshake ACK').and.to.match(LEFT_NOTHING);
  });

  it('attaches to a paused container, and says that it is', async () => {
    await containers.web.pause();
    try {
      const { code, stderr } = await (await attach(containers.web.name, '--for', '200ms')).ended;
      expect(stderr)
        .to.match(/container \S+ is paused: .*docker unpause/)
        .and.to.satisfy(isOneSentence);
      expect(code).to.equal(0);
    } finally {
      await containers.web.unpause();
    }
  });

  describe('called by its compose service', () => {
    let place: TemporaryFolder;
    let project: ComposeProject | undefined;
    before(function () {
      place = temporaryFolder();
      project = ComposeProject.needed(this, place.path);
    });
    after(() => {
      project?.[Symbol.dispose]();
      place.remove();
    });

    for (const called of ['project/service', 'service:project/service'])
      it(`as ${called}`, async () => {
        const target = called.replace('project', project?.name ?? '').replace(/service$/, 'web');
        const { code, stdout } = await (await attach(target, '--for', '200ms')).ended;
        expect(stdout).to.match(/^attached to container lastacktest\S*web\S*1 \(/m);
        expect(stdout)
          .to.match(/port 8080 listens/)
          .and.to.match(LEFT_NOTHING);
        expect(code).to.equal(0);
      });
  });

  describe('told something wrong', () => {
    const refused = (target: string, env: Readonly<Record<string, string>> = {}) =>
      lastack(['attach', target, ...PORT], { folder: folder.path, env });

    it('says that there is no such container, and which is called almost so', async () => {
      const { name } = containers.web;
      const run = await refused(`${name}x`);
      expectRefusal(run, new RegExp(`no container or compose service "${name}x": did you mean "${name}"`), 2);
    });

    it('says that there is no such service', async () => {
      expectRefusal(await refused(`service:${containers.web.name}`), /has no compose service/, 2);
    });

    it('says that a container does not run', async () => {
      const made = await engine.docker.createContainer({ Image: imageName('tools') });
      try {
        expectRefusal(await refused(`container:${made.id}`), /does not run \(Created\): start it/, 2);
      } finally {
        await made.remove();
      }
    });

    it('says that the engine is away, and that a name is no process', async () => {
      const run = await refused('nginx', { DOCKER_HOST: `unix://${folder.path}/none.sock` });
      expectRefusal(
        run,
        /"nginx" is no process id \("pgrep -n nginx" finds one\), and containers.*start it/,
        3,
      );
    });
  });
});
