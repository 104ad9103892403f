import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { ToxiproxyClient } from './client.js';
import { TOXIPROXY_VERSION, toxiproxyServer } from './server-binary.js';
import { ToxiproxyServer } from './server-process.js';
import { ToxiproxyError } from './toxiproxy-error.js';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('it listens at no port');
  return address.port;
}

const errorOf = (promise: Promise<unknown>): Promise<ToxiproxyError> =>
  promise.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => (error instanceof ToxiproxyError ? error : Promise.reject(error)),
  );

describe('a Toxiproxy server', function () {
  this.timeout(600_000);
  let program = '';
  before(async function () {
    try {
      program = (await toxiproxyServer()).path;
    } catch (error) {
      process.stderr.write(`skipped: ${error instanceof Error ? error.message : String(error)}\n`);
      this.skip();
    }
  });

  let server: ToxiproxyServer;
  let port = 0;
  let client: ToxiproxyClient;
  beforeEach(async () => {
    port = await freePort();
    server = await ToxiproxyServer.start({ program, port });
    ({ client } = server);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const proxy = () => client.addProxy({ name: 'db', listen: '127.0.0.1:0', upstream: '127.0.0.1:9' });

  it('says its version', async () => {
    expect(await client.version()).to.equal(TOXIPROXY_VERSION);
  });

  it('adds a proxy with a toxic and removes it again', async () => {
    const db = await proxy();
    expect(await db.add('slow_close upstream 500ms')).to.equal('slow_close_upstream');
    expect((await db.state()).toxics.map(({ type }) => type)).to.deep.equal(['slow_close']);
    await db.remove('slow_close_upstream');
    expect((await db.state()).toxics).to.deep.equal([]);
    await db.delete();
    expect(await client.proxies()).to.deep.equal([]);
  });

  it('takes a proxy down and a reset puts all in order', async () => {
    const db = await proxy();
    await db.add('down');
    await db.add('latency 5ms');
    expect((await db.state()).enabled).to.equal(false);
    await client.reset();
    const { enabled, toxics } = await db.state();
    expect({ enabled, toxics }).to.deep.equal({ enabled: true, toxics: [] });
  });

  it('refuses a second proxy of one name', async () => {
    await proxy();
    const { kind, message } = await errorOf(proxy());
    expect(kind).to.equal('proxy-exists');
    expect(message).to.equal(
      `Toxiproxy at http://127.0.0.1:${port} has a proxy "db" already: choose another name, or remove that one`,
    );
  });

  it('refuses a port that is taken', async () => {
    const { listen } = await proxy();
    const { kind, message } = await errorOf(
      client.addProxy({ name: 'other', listen, upstream: '127.0.0.1:9' }),
    );
    expect(kind).to.equal('port-taken');
    expect(message).to.equal(
      `the proxy "other" cannot listen at ${listen}, somebody else does: give another port, or 0 for a free one`,
    );
  });

  it('names the proxies that there are for one that there is not', async () => {
    await proxy();
    const { kind, message } = await errorOf(client.proxy('bd'));
    expect(kind).to.equal('no-proxy');
    expect(message).to.equal(`Toxiproxy at http://127.0.0.1:${port} has no proxy "bd": it has db`);
  });

  it('refuses a toxic that its version has not, and one that is there', async () => {
    const db = await proxy();
    const unknown = await errorOf(db.add('packet_loss 0.1'));
    expect(unknown.kind).to.equal('unknown-toxic');
    expect(unknown.message).to.equal(
      `Toxiproxy ${TOXIPROXY_VERSION} at http://127.0.0.1:${port} has no toxic packet_loss: run a version that has it, or lose segments on a leg (faults)`,
    );
    await db.add('latency 5ms');
    expect((await errorOf(db.add('latency 6ms'))).kind).to.equal('toxic-exists');
    const missing = await errorOf(db.remove('slicer_upstream'));
    expect(missing.message).to.equal(
      'the proxy "db" has no toxic "slicer_upstream": it has latency_downstream',
    );
  });

  it('is missed with one sentence when it is away', async () => {
    await server[Symbol.asyncDispose]();
    const { kind, message } = await errorOf(client.version());
    expect(kind).to.equal('away');
    expect(message).to.match(
      /^no Toxiproxy answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\): start "toxiproxy-server", or/,
    );
  });

  it('ends with the process that started it, also when that is killed', async () => {
    const mine = await freePort();
    const module = new URL('./index.js', import.meta.url).href;
    const script = `const { ToxiproxyServer } = await import('${module}');
      await ToxiproxyServer.start({ program: '${program}', port: ${mine} }); console.log('ready'); setInterval(() => {}, 1e6);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const orphan = new ToxiproxyClient({ url: `http://127.0.0.1:${mine}` });
    expect(await orphan.version()).to.equal(TOXIPROXY_VERSION);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const untilMs = performance.now() + 5000;
    while (
      await orphan.version().then(
        () => true,
        () => false,
      )
    ) {
      if (performance.now() > untilMs) expect.fail('it still answers');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});
