import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { needsTestEngine, type TestEngine } from './engine.fixture.js';
import { Engine } from './engine.js';
import { commonVersion } from './engine-client.js';
import { EngineError } from './engine-error.js';
import {
  type Behind,
  certificates,
  plainProxy,
  type SshServer,
  served,
  sshMissing,
  sshServer,
  tlsProxy,
  withEnvironment,
} from './engine-proxy.fixture.js';

async function refusal(connecting: Promise<AsyncDisposable>): Promise<EngineError> {
  const error = await connecting.then(
    (engine) => engine[Symbol.asyncDispose](),
    (each: unknown) => each,
  );
  if (error instanceof EngineError) return error;
  throw new Error(`it was not refused: ${error}`);
}

/** A container's whole life through this way, with its streams. */
async function lives(engine: Engine, image: string): Promise<void> {
  await using container = await engine.start({ image, purpose: 'way', command: ['echo'], stdio: true });
  const { stdin, stdout } = container.stdio;
  stdin.end('there and back');
  const pieces: Buffer[] = [];
  for await (const piece of stdout) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).toString()).to.equal('there and back');
  expect((await container.ended).exitCode).to.equal(0);
}

describe('an engine', function () {
  this.timeout(60_000);
  let test: TestEngine;
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(() => test?.[Symbol.asyncDispose]());

  it('says what it is', () => {
    expect(test.engine.text).to.equal('the Docker engine at unix:///var/run/docker.sock');
    expect(test.engine.facts.version).to.match(/^\d+\.\d+/);
    expect(test.engine.facts.api).to.match(/^1\.\d+$/);
  });

  it('knows which images it has', async () => {
    expect(await test.engine.hasImage(test.image)).to.equal(true);
    expect(await test.engine.hasImage('no/such:1')).to.equal(false);
  });

  it('takes away all that it made when it is closed, what is under way included', async () => {
    const engine = await Engine.connect();
    const spec = { image: test.image, purpose: 'closing', command: ['sleep', '60'] };
    const network = await engine.createNetwork({ ipVersion: 4, purpose: 'closing' });
    const running = await engine.start({ ...spec, network: { of: network } });
    const coming = engine.start(spec);
    await engine[Symbol.asyncDispose]();
    await coming;
    const left = (await test.engine.docker.listContainers({ all: true })).map(({ Id }) => Id);
    for (const id of [running.id, (await coming).id]) expect(left).to.not.include(id);
    const networks = await test.engine.docker.listNetworks();
    expect(networks.map(({ Id }) => Id)).to.not.include(network.id);
    expect(await engine.start(spec).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
  });

  it('that goes away ends what runs in it, as far as can be told', async () => {
    await using proxy = await plainProxy();
    const engine = await Engine.connect({ host: proxy.host });
    const spec = { image: test.image, purpose: 'away', command: ['echo'], stdio: true };
    const container = await engine.start(spec);
    proxy.cut();
    const { exitCode, sentence } = await container.ended;
    expect(exitCode).to.equal(-1);
    expect(sentence).to.match(/went away/);
    await engine[Symbol.asyncDispose]();
  });

  describe('behind TCP', () => {
    it('is no engine of this machine, and works as one that is', async () => {
      await using proxy = await plainProxy();
      await withEnvironment({ DOCKER_HOST: proxy.host }, async () => {
        await using engine = await Engine.connect();
        expect(engine.text).to.equal(`the Docker engine at ${proxy.host}`);
        expect(engine.isLocal).to.equal(false);
        await lives(engine, test.image);
      });
    });
  });

  describe('behind TLS', () => {
    const ours = certificates();
    const others = certificates();
    let proxy: Behind;
    before(async () => {
      proxy = await tlsProxy(ours.path);
    });
    after(async () => {
      await proxy[Symbol.asyncDispose]();
      ours.remove();
      others.remove();
    });

    const connect = (path: string, more = {}) =>
      withEnvironment({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: path, ...more }, () =>
        Engine.connect({ host: proxy.host }),
      );

    it('works as any other', async () => {
      await using engine = await connect(ours.path);
      await lives(engine, test.image);
    });

    for (const [what, doing, named] of [
      ['that our authority has not signed', () => connect(others.path), /is not signed by our ca\.pem/],
      [
        'that asks for a certificate of ours',
        () =>
          withEnvironment({ DOCKER_TLS: '1', DOCKER_CERT_PATH: '/nowhere' }, () =>
            Engine.connect({ host: proxy.host }),
          ),
        /does not take our certificate/,
      ],
      [
        'that is another name',
        () =>
          withEnvironment({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: ours.path }, () =>
            Engine.connect({ host: proxy.host.replace('127.0.0.1', 'localhost') }),
          ),
        /its certificate is for another name/,
      ],
      [
        'where there is none',
        async () => {
          await using plain = await plainProxy();
          return await withEnvironment({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: ours.path }, () =>
            Engine.connect({ host: plain.host }),
          );
        },
        /does not speak TLS at that port/,
      ],
    ] as const)
      it(`is refused ${what}`, async () => {
        const error = await refusal(doing());
        expect(error.message).to.match(named);
        expect(error.kind).to.equal('forbidden');
      });
  });

  describe('behind ssh', () => {
    let server: SshServer;
    before(async function () {
      const why = sshMissing();
      if (why !== undefined) {
        process.stderr.write(`skipped: ${why}\n`);
        this.skip();
      }
      server = await sshServer();
    });
    after(() => server?.[Symbol.asyncDispose]());

    const connect = () =>
      withEnvironment({ PATH: `${server.programs}:${process.env.PATH}` }, () =>
        Engine.connect({ host: server.host }),
      );

    it("works as any other, with the user's own ssh", async () => {
      await withEnvironment({ PATH: `${server.programs}:${process.env.PATH}` }, async () => {
        await using engine = await Engine.connect({ host: server.host });
        expect(engine.isLocal).to.equal(false);
        await lives(engine, test.image);
      });
    });

    it('is refused where ssh is not let in, and where it is missing', async () => {
      const missing = await withEnvironment({ PATH: '/nowhere' }, () =>
        refusal(Engine.connect({ host: server.host })),
      );
      expect(missing.message).to.match(/behind ssh, which is missing: apt-get install openssh-client/);
      server.lockOut();
      const locked = await refusal(connect());
      expect(locked.message).to.match(/ssh was not let in .*Permission denied.*ssh-add/);
      expect(locked.kind).to.equal('forbidden');
    });
  });
});

describe('an engine that is not there', function () {
  this.timeout(20_000);

  for (const [what, host, named] of [
    ['a socket that is missing', 'unix:///nowhere/docker.sock', /there is no socket/],
    ['a port where nobody is', 'tcp://127.0.0.1:1', /nobody answers/],
    ['a name without an address', 'tcp://no-such-host.invalid:1', /has no address/],
    [
      'a name without an address, by ssh',
      'ssh://no-such-host.invalid',
      /has no address|ssh, which is missing/,
    ],
  ] as const)
    it(`is told in a sentence: ${what}`, async () => {
      const error = await refusal(Engine.connect({ host }));
      expect(error.message).to.match(named);
      expect(error.kind).to.equal('away');
    });

  it('is told in a sentence: something that never answers, after a while', async () => {
    await using silent = await served(createServer(), () => {});
    const error = await refusal(Engine.connect({ host: silent.host }));
    expect(error.message).to.match(/did not say its version within 5 s/);
    expect(error.kind).to.equal('away');
  });

  it('is told in a sentence: something else that answers', async () => {
    const page = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';
    await using other = await served(createServer(), (socket) => socket.once('data', () => socket.end(page)));
    expect((await refusal(Engine.connect({ host: other.host }))).message).to.match(/is no Docker engine/);
  });

  it('is told in a sentence: one that may not be used', function () {
    if (process.getuid?.() !== 0) {
      process.stderr.write('skipped: only root can become another user\n');
      this.skip();
    }
    // Nobody's socket may be used by nobody else.
    const module = new URL('./engine.js', import.meta.url);
    const script = `
      const { createServer } = await import('node:net');
      const { chmodSync, rmSync } = await import('node:fs');
      const path = process.argv[1];
      await new Promise((resolve) => createServer().listen(path, resolve));
      chmodSync(path, 0o600);
      const { Engine } = await import('${module}');
      process.setuid(65534);
      await Engine.connect({ host: 'unix://' + path }).catch((error) => console.log(error.kind, error.message));
      process.exit();`;
    const path = join('/tmp', `lastack-forbidden-${process.pid}.sock`);
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
      encoding: 'utf8',
    });
    spawnSync('rm', ['-f', path]);
    expect(stdout, stderr).to.match(/^forbidden you may not use the Docker engine at .*usermod -aG docker/);
  });
});

describe('the version of the API', () => {
  const common = (ApiVersion: string | undefined, MinAPIVersion?: string) =>
    commonVersion(
      { ...(ApiVersion && { ApiVersion }), ...(MinAPIVersion && { MinAPIVersion }) },
      'the engine',
    );

  for (const [newest, oldest, chosen] of [
    ['1.40', '1.12', '1.40'],
    ['1.41', undefined, '1.41'],
    ['1.99', '1.44', '1.51'],
    ['1.99', '1.60', '1.60'],
  ] as const)
    it(`is ${chosen} with an engine that knows ${oldest ?? 'any'} to ${newest}`, () => {
      expect(common(newest, oldest)).to.equal(chosen);
    });

  it('is refused where it is too old', () => {
    expect(() => common('1.39')).to.throw(EngineError, /too old \(API 1\.39\): lastack needs 1\.40/);
  });
});
