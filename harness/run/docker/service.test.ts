import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { needsTestEngine, type TestEngine } from '../../docker/engine/engine.fixture.js';
import { Engine, EngineError, imageName } from '../../docker/index.js';
import { drop, syn } from '../../fault/index.js';
import { AttachRefused, attach, reachContainer } from '../../lab/index.js';
import { findContainer } from './container-place.js';
import { runService } from './service.js';

const SOCKET = '/var/run/docker.sock';
const PORT = 7000;

/** The engine as one that is reached over the network, whose containers cannot be seen from here. */
async function relay(): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (one) => {
    const other = connect({ path: SOCKET, allowHalfOpen: true });
    one.on('error', () => other.destroy()).pipe(other);
    other.on('error', () => one.destroy()).pipe(one);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

describe('a service in an engine that is not of this machine', function () {
  this.timeout(60_000);
  let test: TestEngine;
  let server: Server;
  let engine: Engine;
  before(async function () {
    test = await needsTestEngine(this);
    server = await relay();
    engine = await Engine.connect({ host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  after(async () => {
    await engine?.[Symbol.asyncDispose]();
    server?.close();
    await test?.[Symbol.asyncDispose]();
  });

  const started = (command: readonly string[], withinMs = 10_000) =>
    runService(engine, { image: test.image, command, port: PORT, withinMs });

  it('is reached at a port that the engine publishes', async () => {
    await using service = await started(['listen', String(PORT)]);
    expect(service.address.ip).to.equal('127.0.0.1');
    expect(service.address.port).not.to.equal(PORT);
    const socket = connect({ host: service.address.ip, port: service.address.port });
    socket.end('hello');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).to.equal('hello');
  });

  it('is not taken for one that listens because the engine’s proxy does', async () => {
    const error = await started(['sleep', '60'], 500).then(
      () => undefined,
      (each: unknown) => each,
    );
    expect(error).to.be.instanceOf(EngineError);
    expect(String(error)).to.match(/did not listen at port 7000 within 500 ms; it said nothing$/);
  });

  it('is attached to by a sidecar in its network', async function () {
    if (!(await engine.hasImage(imageName('wire')))) {
      process.stderr.write(`skipped: there is no image ${imageName('wire')} ("lastack images build wire")\n`);
      return this.skip();
    }
    await using service = await started(['listen', String(PORT)]);
    const found = await findContainer(engine, service);
    await using target = await reachContainer(engine, found);
    expect(target.reach.kind).to.equal('process');
    const faults = [drop(syn(), { times: 1 })];
    await using wire = await attach({ target, port: PORT, faults });
    expect((await wire.present()).listeners.map(({ port }) => port)).to.include(PORT);
    const { ip, port } = service.address;
    const socket = connect({ host: ip, port }).on('error', () => {});
    socket.end('hello');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).to.equal('hello');
    const { receipts, transitions } = await wire.recording();
    expect(receipts).to.have.nested.property('[0].acted', 1);
    expect(transitions.filter(({ side }) => side === 'server').map(({ to }) => to)).to.include('ESTABLISHED');
    await service[Symbol.asyncDispose]();
    while (target.isAlive()) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('cannot be attached to from here, and that is said', async () => {
    await using service = await started(['listen', String(PORT)]);
    const found = await findContainer(engine, service);
    const error = await reachContainer(engine, found, 'here').then(
      () => undefined,
      (each: unknown) => each,
    );
    expect(error).to.be.instanceOf(AttachRefused);
    expect(String(error)).to.match(
      /runs where the Docker engine at tcp:\S+ does, and its processes cannot be seen from here/,
    );
  });
});
