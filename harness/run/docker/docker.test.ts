import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, use } from 'chai';
import { lastackChai } from 'lastack/chai';
import { needsTestEngine, type TestEngine } from '../../docker/engine/engine.fixture.js';
import { EngineError } from '../../docker/index.js';
import { type Address, WaitTimeout } from '../../endpoint/index.js';
import { drop, finalAck, synAck } from '../../fault/index.js';
import { AttachRefused, attachCapability, closeSharedEngine } from '../../lab/index.js';
import { Inconclusive } from '../record.js';
import { docker } from './index.js';
import type { Service, ServiceOptions } from './service.js';

use(lastackChai);

const PORT = 7000;

const refusal = async (doing: Promise<unknown>): Promise<Error> => {
  const error = await doing.then(
    () => undefined,
    (each: unknown) => each,
  );
  if (error instanceof Error) return error;
  throw new Error('it was not refused');
};

/** Says a word, hears it again, and closes first. */
async function echo({ ip, port }: Address, word = 'hello'): Promise<string> {
  const socket = connect({ host: ip, port });
  socket.write(word);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.end();
  socket.resume();
  return String(answer);
}

describe('docker, for tests of one’s own', function () {
  this.timeout(60_000);
  let test: TestEngine;
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(async () => {
    await closeSharedEngine();
    await test?.[Symbol.asyncDispose]();
  });

  const started = (options: Partial<ServiceOptions> = {}): Promise<Service> =>
    docker.run({ image: test.image, command: ['listen', String(PORT)], port: PORT, ...options });

  const made = async (): Promise<readonly string[]> => [
    ...(await test.engine.docker.listContainers({ all: true })).flatMap(({ Names }) => Names),
    ...(await test.engine.docker.listNetworks()).map(({ Name }) => Name),
  ];

  it('is there without dockerode being loaded', () => {
    const script = `
      import { createRequire } from 'node:module';
      const { docker } = await import('${new URL('../../index.js', import.meta.url).href}');
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => /docker/.test(path));
      console.log(typeof docker.run, loaded.length);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).to.equal('function 0');
  });

  describe('run', () => {
    it('gives a service that listens and answers at its address, and takes all of it away', async () => {
      const before = await made();
      {
        await using service = await started({ name: 'orders' });
        expect(await echo(service.address)).to.equal('hello');
        expect(await service.logs()).to.equal('listens');
        expect(service.name).to.match(/-orders$/);
      }
      expect((await made()).filter((name) => !before.includes(name) && /orders/.test(name))).to.deep.equal(
        [],
      );
    });

    it('runs a program in it, and tells what that said', async () => {
      await using service = await started();
      expect(await service.execute('/bin/tool', 'say', 'yes', '3')).to.deep.equal({
        exitCode: 3,
        stdout: 'yes\n',
        stderr: 'yes, to stderr\n',
      });
    });

    it('says what an image said that ended instead of listening', async () => {
      const error = await refusal(started({ command: ['say', 'no config', '3'] }));
      expect(error).to.be.instanceOf(EngineError);
      expect(error.message).to.match(/has ended: exit code 3; it said last: no config/);
    });

    it('says within its limit that it does not listen there, with what it said', async () => {
      const error = await refusal(started({ port: 7001, withinMs: 400 }));
      expect(error).to.be.instanceOf(EngineError);
      expect(error.message).to.match(
        /^container lastack-\S+ did not listen at port 7001 within 400 ms; it said last: listens$/,
      );
    });

    it('says that there is no such image', async () => {
      const error = await refusal(docker.run({ image: 'lastack-no-such-image', port: PORT }));
      expect(error).to.be.instanceOf(EngineError).with.property('kind', 'no-image');
    });

    it('gives no address where no port was named', async () => {
      await using service = await docker.run({ image: test.image, command: ['sleep', '60'] });
      expect(() => service.address).to.throw(TypeError, /say at which port it listens/);
    });
  });

  describe('attach', () => {
    before(function () {
      const { works, sentence } = attachCapability();
      if (works) return;
      process.stderr.write(`skipped: ${sentence}\n`);
      this.skip();
    });

    it('loses the final ACK of a service, whose kernel stays in LAST-ACK and repeats its FIN', async () => {
      await using service = await started();
      await using attached = await docker.attach(service, { faults: [drop(finalAck().copy(1))] });
      expect(await echo(service.address)).to.equal('hello');
      await attached.wire.sees(finalAck().copy(2));
      await attached.reaches('server', 'CLOSED');
      const trace = await attached.trace();
      expect(trace).to.have.states('server', [
        'SYN-RECEIVED?',
        'ESTABLISHED',
        'CLOSE-WAIT',
        'LAST-ACK',
        'CLOSED',
      ]);
      expect(trace).to.retransmit('server.fin').within(1000);
      expect(trace.lab).to.equal('attached');
      expect((await attached.receipts()).map(({ acted }) => acted)).to.deep.equal([1]);
    });

    it('takes a name, an id, or what knows its id', async () => {
      await using service = await started();
      const { id } = service;
      for (const ref of [service.name, id, { id }, { getId: () => id }]) {
        await using attached = await docker.attach(ref, { port: PORT });
        await echo(service.address);
        expect(await attached.trace()).to.haveSegment('server.data');
      }
    });

    it('tells by Inconclusive, which has the trace, that a fault never acted', async () => {
      await using service = await started();
      await using attached = await docker.attach(service, { faults: [drop(synAck().copy(3))] });
      await echo(service.address);
      const error = await refusal(attached.trace());
      expect(error).to.be.instanceOf(Inconclusive);
      expect(error.message).to.match(/attach to container lastack-\S+ .*: fault ".*" matched no segment/);
      expect((error as Inconclusive).trace).to.haveSegment('syn');
    });

    it('leaves no rule in the container, and lets the traffic flow', async () => {
      await using service = await started();
      {
        await using attached = await docker.attach(service, { faults: [drop(synAck())] });
        const error = await refusal(attached.wire.sees(synAck(), { withinMs: 50 }));
        expect(error.name).to.equal('TimeoutError');
      }
      expect(await echo(service.address)).to.equal('hello');
    });

    it('asks which port is meant, where the container does not tell', async () => {
      await using service = await started();
      const error = await refusal(docker.attach(service.id));
      expect(error).to.be.instanceOf(EngineError);
      expect(error.message).to.match(/exposes no port: say which one is meant \("port"\)$/);
    });

    it('says that there is no such container', async () => {
      const error = await refusal(docker.attach('no-such-container', { port: PORT }));
      expect(error).to.be.instanceOf(EngineError).with.property('kind', 'no-container');
    });

    it('gives up waiting for a state that does not come, and says which it was', async () => {
      await using service = await started();
      await using attached = await docker.attach(service);
      const error = await refusal(attached.reaches('server', 'LAST-ACK', { withinMs: 50 }));
      expect(error).to.be.instanceOf(WaitTimeout);
      expect(error.message).to.match(/it is in CLOSED/);
    });
  });

  describe('between', () => {
    before(function () {
      const { works, sentence } = attachCapability();
      if (works) return;
      process.stderr.write(`skipped: ${sentence}\n`);
      this.skip();
    });

    it('loses a segment on the way from one container to the other', async () => {
      await using network = await docker.network();
      await using server = await started({ network, name: 'server' });
      await using client = await docker.run({ image: test.image, command: ['sleep', '60'], network });
      await using wire = await docker.between(client, server, { faults: [drop(synAck().copy(1))] });
      const { stdout } = await client.execute('/bin/tool', 'ask', 'server', String(PORT));
      expect(stdout).to.equal('asked\n');
      await wire.reaches('server', 'CLOSED');
      const trace = await wire.trace();
      expect(trace).to.retransmit('syn-ack');
      expect(trace).to.have.states('client', [
        'SYN-SENT',
        'ESTABLISHED',
        'FIN-WAIT-1',
        'FIN-WAIT-2?',
        'TIME-WAIT',
      ]);
      expect(trace.endpoints.map(({ side }) => side)).to.deep.equal(['client', 'server']);
    });

    it('says that two containers share no network', async () => {
      await using one = await started();
      await using other = await started();
      const error = await refusal(docker.between(one, other));
      expect(error).to.be.instanceOf(AttachRefused);
      expect(error.message).to.match(/share no network: put both into one/);
    });
  });
});
