import { expect } from 'chai';
import type { RunningContainer } from './container.js';
import { needsTestEngine, type TestEngine, TOOL } from './engine.fixture.js';
import { EngineError, type EngineErrorKind } from './engine-error.js';

const text = async (stream: AsyncIterable<unknown>): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
};

async function refused(doing: Promise<unknown>): Promise<EngineError> {
  const error = await doing.then(
    () => undefined,
    (each: unknown) => each,
  );
  if (error instanceof EngineError) return error;
  throw new Error(`it was not refused: ${error}`);
}

describe('a container of ours', function () {
  this.timeout(60_000);
  let test: TestEngine;
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(() => test?.[Symbol.asyncDispose]());

  const start = (...command: readonly string[]): Promise<RunningContainer> =>
    test.engine.start({ image: test.image, purpose: 'test of containers', command });

  const names = async (): Promise<readonly string[]> =>
    (
      await test.engine.docker.listContainers({
        all: true,
        filters: { label: [`lastack.run=${test.engine.runId}`] },
      })
    ).flatMap(({ Names }) => Names);

  it('bears a name and labels that say whose it is and what for', async () => {
    await using container = await start('sleep', '60');
    expect(container.name).to.match(new RegExp(`^lastack-${test.engine.runId}-\\d+-test$`));
    const { labels } = await test.engine.find(container.name);
    expect(labels['lastack.run']).to.equal(test.engine.runId);
    expect(labels['lastack.purpose']).to.equal('test of containers');
    expect(labels['lastack.owner']).to.match(new RegExp(`:${process.pid}:\\d+$`));
  });

  it('has a standard input and outputs that are ours: octets both ways, apart, to the end', async () => {
    await using container = await test.engine.start({
      image: test.image,
      purpose: 'echo',
      command: ['echo'],
      stdio: true,
    });
    const octets = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
    const { stdin, stdout, stderr } = container.stdio;
    const back = (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of stdout) pieces.push(piece);
      return Buffer.concat(pieces);
    })();
    stdin.end(octets);
    expect((await back).equals(octets)).to.equal(true);
    expect(await text(stderr)).to.equal('echoes\n');
    expect((await container.ended).exitCode).to.equal(0);
    expect(await container.logs()).to.equal('echoes');
  });

  it('has no streams of ours unless that was asked for', async () => {
    await using container = await start('sleep', '60');
    expect(() => container.stdio).to.throw(TypeError, /stdio: true/);
  });

  it('waits for a reader that is slow, and loses nothing', async () => {
    await using container = await test.engine.start({
      image: test.image,
      purpose: 'echo',
      command: ['echo'],
      stdio: true,
    });
    const { stdin, stdout } = container.stdio;
    const length = 4 * 1024 * 1024;
    stdin.end(Buffer.alloc(length, 'x'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(stdout.readableLength).to.be.below(length / 4);
    let got = 0;
    for await (const piece of stdout) got += (piece as Buffer).length;
    expect(got).to.equal(length);
  });

  it('tells its end, also when that comes at once, and is gone by itself', async () => {
    await using container = await start('say', 'bye', '7');
    const { exitCode, sentence } = await container.ended;
    expect(exitCode).to.equal(7);
    expect(sentence).to.equal(`container ${container.name} has ended: exit code 7`);
    await container[Symbol.asyncDispose]();
    expect(await names()).to.not.include(`/${container.name}`);
    expect(await container.logs())
      .to.include('bye')
      .and.to.include('bye, to stderr');
  });

  it('is removed by force, and tells that it was', async () => {
    const container = await start('sleep', '60');
    await container[Symbol.asyncDispose]();
    expect((await container.ended).sentence).to.match(/was removed$/);
    expect(await names()).to.not.include(`/${container.name}`);
    await container[Symbol.asyncDispose]();
  });

  it('takes signals, and stands still', async () => {
    await using container = await start('sleep', '60');
    await container.pause();
    const { State: paused } = await test.engine.docker.getContainer(container.id).inspect();
    expect(paused.Paused).to.equal(true);
    await container.unpause();
    await container.kill('SIGKILL');
    expect((await container.ended).exitCode).to.equal(137);
    const late = await refused(container.kill('SIGTERM'));
    expect(late.kind).to.equal('gone');
  });

  it('is healthy when its check says so, and says its last lines when it is not', async () => {
    const healthcheck = { command: [TOOL, 'say', 'well'], intervalMs: 100, retries: 1 };
    const common = { image: test.image, purpose: 'health', command: ['listen', '80'] };
    await using well = await test.engine.start({ ...common, healthcheck });
    await well.healthy({ withinMs: 10_000 });
    await using ill = await test.engine.start({
      ...common,
      healthcheck: { ...healthcheck, command: [TOOL, 'say', 'ill', '1'] },
    });
    const sick = await refused(ill.healthy({ withinMs: 10_000 }));
    expect(sick.message).to.match(/is not healthy; it said last: listens$/);
    await using gone = await test.engine.start({ ...common, command: ['say', 'no luck', '3'], healthcheck });
    const dead = await refused(gone.healthy({ withinMs: 10_000 }));
    expect(dead.kind).to.equal('gone');
    expect(dead.message).to.match(/has ended: exit code 3; it said last: .*no luck/);
  });

  it('has the files that were put into it, also with a root that is read-only', async () => {
    const content = Buffer.from('what was put in\n');
    for (const readOnly of [false, true]) {
      await using container = await test.engine.start({
        image: test.image,
        purpose: 'files',
        command: ['show', '/.lastack/file'],
        readOnly,
        files: [{ path: '/.lastack/file', content, mode: 0o644 }],
      });
      expect((await container.ended).exitCode, String(readOnly)).to.equal(0);
      expect(await container.logs()).to.equal('what was put in');
    }
  });

  it('has the variables, settings and capabilities of its spec, and no others', async () => {
    const show = async (command: readonly string[], more: object = {}): Promise<string> => {
      await using container = await test.engine.start({
        image: test.image,
        purpose: 'settings',
        command,
        ...more,
      });
      expect((await container.ended).exitCode).to.equal(0);
      return container.logs();
    };
    expect(await show(['env', 'WORD'], { env: { WORD: 'a=b c' } })).to.equal('a=b c');
    const retries = { sysctls: { 'net.ipv4.tcp_retries2': '5' } };
    expect(await show(['show', '/proc/sys/net/ipv4/tcp_retries2'], retries)).to.equal('5');
    const effective = (status: string): string => /^CapEff:\s*(\w+)$/m.exec(status)?.[1] ?? '';
    expect(BigInt(`0x${effective(await show(['show', '/proc/self/status']))}`)).to.equal(0n);
    const admin = await show(['show', '/proc/self/status'], { capAdd: ['NET_ADMIN'] });
    expect(BigInt(`0x${effective(admin)}`)).to.equal(1n << 12n);
    expect(await show(['show', '/proc/self/status'], { user: '65534' })).to.match(/^Uid:\s+65534/m);
  });

  it('shares the network and the processes of another', async () => {
    await using first = await start('listen', '7001');
    await using second = await test.engine.start({
      image: test.image,
      purpose: 'sidecar',
      command: ['show', '/proc/1/cmdline'],
      network: { containerOf: first.id },
      pidOf: first.id,
    });
    await second.ended;
    expect((await second.logs()).replaceAll('\0', ' ')).to.match(/listen 7001/);
  });

  describe('that is refused', () => {
    const cases: readonly (readonly [string, object, EngineErrorKind, RegExp])[] = [
      [
        'an image that is not there',
        { image: 'no/such:1' },
        'no-image',
        /has no image no\/such:1: "docker pull/,
      ],
      ['an image of ours', { image: 'lastack/agent:1' }, 'no-image', /"lastack images build" makes it/],
      [
        'a setting that the kernel does not have',
        { sysctls: { 'net.ipv4.tcp_no_such': '1' } },
        'refused',
        /refuses the setting net\.ipv4\.tcp_no_such/,
      ],
      [
        "a setting that is not the container's",
        { sysctls: { 'vm.swappiness': '1' } },
        'refused',
        /refuses the setting vm\.swappiness/,
      ],
      [
        'a value that the kernel refuses',
        { sysctls: { 'net.ipv4.ip_forward': 'x' } },
        'refused',
        /ip_forward/,
      ],
      [
        'a capability that there is not',
        { capAdd: ['NET_NOTHING'] },
        'refused',
        /a capability of NET_NOTHING/,
      ],
      ['a program that is not there', { entrypoint: ['/bin/none'] }, 'refused', /has no such program/],
      [
        'a container that is not there, for its network',
        { network: { containerOf: 'nobody' } },
        'gone',
        /the container is gone/,
      ],
    ];
    for (const [what, more, kind, named] of cases)
      it(`names ${what}, and leaves nothing`, async () => {
        const before = await names();
        const error = await refused(
          test.engine.start({ image: test.image, purpose: 'refused', command: ['sleep', '9'], ...more }),
        );
        expect(error.message).to.match(named);
        expect(error.kind).to.equal(kind);
        expect(error.message).to.not.include('\n');
        expect(await names()).to.deep.equal(before);
      });

    it('names a port that is taken', async () => {
      const spec = { image: test.image, purpose: 'port', command: ['listen', '80'] };
      await using first = await test.engine.start({
        ...spec,
        ports: [{ container: 80, hostIp: '127.0.0.1' }],
      });
      const { NetworkSettings } = await test.engine.docker.getContainer(first.id).inspect();
      const host = Number(NetworkSettings.Ports['80/tcp']?.[0]?.HostPort);
      const ports = [{ container: 80, host, hostIp: '127.0.0.1' }];
      const error = await refused(test.engine.start({ ...spec, ports }));
      expect(error.kind).to.equal('port-taken');
      expect(error.message).to.include(`port ${host} of its host is taken already`);
    });
  });
});
