import { once } from 'node:events';
import { expect } from 'chai';
import { needsTestEngine, type TestEngine } from './engine.fixture.js';
import { EngineError } from './engine-error.js';
import type { FoundContainer } from './find-container.js';

const PROJECT = `lastack-test-${process.pid}`;

describe('a container that compose has started', function () {
  this.timeout(60_000);
  let test: TestEngine;
  const ids: string[] = [];
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(async () => {
    for (const id of ids) await test.engine.docker.getContainer(id).remove({ force: true });
    await test?.[Symbol.asyncDispose]();
  });

  /** As compose makes them: they are not ours, and their input stays open when one who spoke to it goes. */
  async function composed(service: string, more: object = {}, host: object = {}): Promise<FoundContainer> {
    const made = await test.engine.docker.createContainer({
      Image: test.image,
      Cmd: ['echo'],
      OpenStdin: true,
      Labels: {
        'com.docker.compose.project': PROJECT,
        'com.docker.compose.service': service,
        'com.docker.compose.oneoff': 'False',
      },
      HostConfig: { NetworkMode: 'none', ...host },
      ...more,
    });
    ids.push(made.id);
    await made.start();
    return test.engine.find(made.id);
  }

  it('is spoken to, let go, and spoken to again, and runs on', async () => {
    const found = await composed('spoken');
    for (const word of ['first', 'second']) {
      await using adopted = await test.engine.adopt(found);
      adopted.stdio.stdin.write(word);
      const [heard] = (await once(adopted.stdio.stdout, 'data')) as [Buffer];
      expect(heard.toString()).to.equal(word);
      adopted.stdio.stdin.end();
      expect((await adopted.ended).sentence).to.match(/was let go$/);
    }
    expect(await found.isRunning()).to.equal(true);
  });

  it('tells of its end', async () => {
    const found = await composed('killed');
    await using adopted = await test.engine.adopt(found);
    await test.engine.docker.getContainer(found.id).kill({ signal: 'SIGKILL' });
    expect((await adopted.ended).sentence).to.match(/has ended: killed/);
  });

  it('is refused without a standard input, and with a terminal', async () => {
    for (const more of [{ OpenStdin: false, Cmd: ['sleep', '60'] }, { Tty: true }]) {
      const error = await test.engine.adopt(await composed('refused', more)).catch((each: unknown) => each);
      expect(error).to.be.instanceOf(EngineError).with.property('kind', 'refused');
      expect(error).to.have.property('message').that.includes('stdin_open: true');
    }
  });

  it('is found with what it shares with others', async () => {
    const server = await composed('server', { OpenStdin: false, Cmd: ['sleep', '60'] });
    const mode = `container:${server.id}`;
    const wire = await composed('wire', {}, { NetworkMode: mode, PidMode: mode });
    const services = await test.engine.services(PROJECT);
    const found = services.find(({ container }) => container.id === wire.id);
    expect(found).to.include({ service: 'wire', isRunning: true, hasInput: true });
    expect(found).to.include({ networkOf: server.id, pidsOf: server.id });
    const other = services.find(({ container }) => container.id === server.id);
    expect(other)
      .to.include({ service: 'server', hasInput: false })
      .and.not.have.any.keys('networkOf', 'pidsOf');
    expect(await test.engine.services(`${PROJECT}-other`)).to.deep.equal([]);
  });
});
