/** Scenarios against nginx in somebody else's container, and what is said where one cannot be played there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Engine, imageName } from '../docker/index.js';
import { traceFromJson } from '../trace/index.js';
import {
  ComposeProject,
  HTTP_PORT,
  madeBy,
  needsContainers,
  rulesOfPid,
  WebContainers,
} from './containers.fixture.js';
import {
  type Ended,
  ended,
  isOneSentence,
  lastack,
  MAIN,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const STAYS = 'GET / HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n';

describe('lastack repro against a target', function () {
  this.timeout(120_000);
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

  const out = (name: string): string => join(folder.path, 'out', name);

  function begin(scenario: string, ...args: readonly string[]) {
    const target = args.includes('--target') ? [] : ['--target', `${containers.web.name}:${HTTP_PORT}`];
    const all = [MAIN, 'repro', scenario, ...target, ...args, '--out', join(folder.path, 'out')];
    return start(process.execPath, all, { folder: folder.path });
  }

  /** To its end, after which nothing of it is there. */
  async function repro(scenario: string, ...args: readonly string[]): Promise<Ended> {
    const child = begin(scenario, ...args);
    const end = await ended(child);
    expect(await madeBy(engine, child.pid)).to.deep.equal([]);
    expect(await containers.names()).to.deep.equal([containers.asking.name, containers.web.name].toSorted());
    expect(rulesOfPid(containers.web.pid)).to.equal(0);
    return end;
  }

  const expectRefusal = ({ code, stderr, stdout }: Ended, named: RegExp): void => {
    expect(stderr).to.match(named).and.to.satisfy(isOneSentence);
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
  };

  for (const [how, args] of [
    ['says a request', ['--send', STAYS]],
    ['says nothing', []],
  ] as const)
    it(`plays the lost final ACK, where the client ${how}`, async () => {
      const { code, stdout, stderr } = await repro('lost-final-ack', ...args);
      expect(stderr).to.equal('');
      expect(stdout).to.match(/^against container \S+ \(lastack\/tools:\S+, process \d+\): port 8080 at /);
      expect(stdout).to.match(/remark: net\.ipv4\.tcp_orphan_retries of the server stays \d+; .* to 3$/m);
      expect(stdout)
        .to.match(/final ACK.*dropped by fault 1/)
        .and.to.match(/2nd copy/);
      for (const state of ['LAST-ACK', 'CLOSE-WAIT', 'TIME-WAIT']) expect(stdout).to.include(state);
      expect(stdout).to.match(/^nothing failed, and each fault acted/m);
      expect(code).to.equal(0);
      for (const [, file = ''] of stdout.matchAll(/^(?:capture|trace|verdicts): +(.+)$/gm))
        expect(existsSync(join(folder.path, file)) || existsSync(file), file).to.equal(true);
      const file = out('close-lost-final-ack-ipv4.trace.json');
      const trace = traceFromJson(readFileSync(file, 'utf8'), { file });
      expect(trace.endpoints.find(({ side }) => side === 'server'))
        .to.have.property('application')
        .that.includes(containers.web.name);
      expect(trace.settings).to.have.property('client.ipv4.tcp_orphan_retries', 3);
      expect(trace.settings).not.to.have.property('server.ipv4.tcp_orphan_retries');
    });

  it('plays it with the wire in a sidecar', async function () {
    if (!(await engine.hasImage(imageName('wire')))) {
      process.stderr.write(`skipped: the image ${imageName('wire')} is missing\n`);
      this.skip();
    }
    const { code, stdout, stderr } = await repro('lost-final-ack', '--wire', 'sidecar', '--send', STAYS);
    expect(stderr).to.equal('');
    expect(stdout).to.match(/final ACK.*dropped by fault 1/);
    expect(code).to.equal(0);
  });

  it('plays it with IPv6', async () => {
    const { code, stdout } = await repro('lost-final-ack', '--ip', '6', '--send', STAYS);
    expect(stdout).to.match(/final ACK.*dropped by fault 1/);
    expect(code).to.equal(0);
  });

  it('touches the connections of its own client alone', async () => {
    const playing = repro('lost-final-ack', '--send', STAYS, '--fault', 'drop data');
    let isOver = false;
    playing.then(() => {
      isOver = true;
    });
    let answers = 0;
    for (; !isOver; answers += 1)
      expect(await containers.curl('--max-time', '5')).to.equal('nginx answers\n');
    const { code, stdout } = await playing;
    expect(answers).to.be.greaterThan(2);
    expect(stdout).to.match(/PSH,ACK.*dropped by fault 2/);
    expect(stdout).not.to.include(containers.asking.ip(4));
    // Whatever its client says is lost.
    expect(code).to.equal(1);
  });

  it('says that the program has closed first, where it does', async () => {
    const { code, stdout } = await repro('lost-final-ack', '--send', 'GET / HTTP/1.0\\r\\n\\r\\n');
    expect(stdout).to.match(/^the program closed the connection before its client did: .*--send/m);
    expect(stdout).not.to.match(/^ {2}\S fail /m);
    expect(code).to.equal(1);
  });

  for (const [scenario, what] of [
    ['handshake/at-once', /^unsupported: container \S+ .* is not lastack's to drive: .* open a connection/m],
    ['timers/zero-window', /^unsupported: container .* cannot be told to set an option/m],
  ] as const)
    it(`says what a program cannot be told, as ${scenario} would`, async () => {
      const { code, stdout } = await repro(scenario);
      expect(stdout).to.match(what);
      expect(code).to.equal(1);
    });

  it('says that the program has ended meanwhile', async () => {
    await using own = await WebContainers.start(engine);
    const child = begin('close/half-close', '--target', `${own.web.name}:${HTTP_PORT}`, '--send', STAYS);
    const over = ended(child);
    // Of a story that waits for more of an answer than nginx gives.
    let said = '';
    child.stdout?.on('data', (text: string) => {
      said += text;
    });
    while (!said.includes('against container')) await new Promise((resolve) => setTimeout(resolve, 20));
    while (rulesOfPid(own.web.pid) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await own.web.kill('SIGKILL');
    const { code, stderr } = await over;
    expect(stderr).to.match(/^lastack: container \S+ .* has ended while a story was played with it/);
    expect(stderr).to.satisfy(isOneSentence);
    expect(code).to.equal(3);
    expect(await madeBy(engine, child.pid)).to.deep.equal([]);
  });

  it('killed, leaves the program served, and nothing that "clean" does not take away', async () => {
    const child = begin('close/half-close', '--send', STAYS);
    const over = ended(child);
    while (rulesOfPid(containers.web.pid) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await over;
    expect(await containers.curl('--max-time', '5')).to.equal('nginx answers\n');
    // Its client's input has ended with it.
    while ((await madeBy(engine, child.pid)).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(rulesOfPid(containers.web.pid)).to.be.greaterThan(0);
    expect((await lastack(['clean'], { folder: folder.path })).code).to.equal(0);
    expect(rulesOfPid(containers.web.pid)).to.equal(0);
    expect(await containers.names()).to.have.lengthOf(2);
  });

  it('finds a compose service', async function () {
    const place = temporaryFolder();
    try {
      using project = ComposeProject.needed(this, place.path);
      const target = ['--target', `${project.name}/web:${HTTP_PORT}`];
      const { code, stdout } = await repro('lost-final-ack', ...target, '--send', STAYS);
      expect(stdout)
        .to.match(/^against container lastacktest/)
        .and.to.include(`network ${project.name}_default`);
      expect(code).to.equal(0);
    } finally {
      place.remove();
    }
  });

  describe('told something wrong', () => {
    for (const [what, scenario, args, named] of [
      ['a scenario with a scripted peer', 'reset/into-established', [], /has a scripted peer as its client/],
      ['a process', 'lost-final-ack', ['--target', '1234:80'], /"lastack attach 1234 --port 80"/],
      ['no port', 'lost-final-ack', ['--target', 'web'], /such as web:80/],
      ['another lab', 'lost-final-ack', ['--lab', 'virtual'], /leave out --endpoint, --server and --lab/],
      ['no place for the wire', 'lost-final-ack', ['--wire', 'sidecat'], /did you mean "sidecar"/],
      ['another server', 'lost-final-ack', ['--server', 'stack'], /leave out --endpoint, --server/],
      [
        'our own TCP as the client',
        'lost-final-ack',
        ['--client', 'stack'],
        /the client of a target is a kernel/,
      ],
      ['no escape', 'lost-final-ack', ['--send', 'a\\q'], /"\\q" is no escape/],
      ['an unknown container', 'lost-final-ack', ['--target', 'no-such-one:80'], /has no container/],
    ] as const)
      it(`refuses ${what} in one sentence`, async () => {
        expectRefusal(await repro(scenario, ...args), named);
      });

    it('names the ports that listen where the one that was given does not', async () => {
      const run = await repro('lost-final-ack', '--target', `${containers.web.name}:81`);
      expectRefusal(run, /nothing listens at port 81 in container .*: port 8080 listens there/);
    });

    it('refuses --send without a target', async () => {
      const args = [MAIN, 'repro', 'lost-final-ack', '--send', 'x'];
      expectRefusal(await ended(start(process.execPath, args, { folder: folder.path })), /--send is what/);
    });

    it('refuses a paused container', async () => {
      await containers.web.pause();
      try {
        expectRefusal(await repro('lost-final-ack'), /is paused: .*docker unpause/);
      } finally {
        await containers.web.unpause();
      }
    });
  });
});
