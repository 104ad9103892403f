import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { guardsOf, needsTestEngine, type TestEngine } from './engine.fixture.js';

const GONE_WITHIN_MS = 15_000;

describe('what a process that was killed has left in an engine', function () {
  this.timeout(60_000);
  let test: TestEngine;
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(() => test?.[Symbol.asyncDispose]());

  interface Maker {
    readonly child: ChildProcess;
    readonly made: {
      readonly runId: string;
      readonly open: string;
      readonly closed: string;
      readonly network: string;
    };
  }

  /** Another lastack, with a container whose streams are its own, one without, and a network. */
  async function maker(): Promise<Maker> {
    const script = `
      const { Engine } = await import('${new URL('./engine.js', import.meta.url)}');
      const engine = await Engine.connect();
      const network = await engine.createNetwork({ ipVersion: 4, purpose: 'left' });
      const spec = { image: '${test.image}', purpose: 'left', network: { of: network } };
      const open = await engine.start({ ...spec, command: ['echo'], stdio: true });
      const closed = await engine.start({ ...spec, command: ['sleep', '600'] });
      console.log(JSON.stringify({ runId: engine.runId, open: open.id, closed: closed.id, network: network.id }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(child.stdout, 'data');
    return { child, made: JSON.parse(String(said)) };
  }

  /** With its guard, which would be faster than we are. */
  async function kill({ child, made }: Maker): Promise<void> {
    for (const pid of guardsOf(made.runId)) process.kill(pid, 'SIGKILL');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  const containers = async (): Promise<readonly string[]> =>
    (await test.engine.docker.listContainers({ all: true })).map(({ Id }) => Id);
  const networks = async (): Promise<readonly string[]> =>
    (await test.engine.docker.listNetworks()).map(({ Id }) => Id);

  it('goes by itself where its input was the process, and is swept where not; those of the living stay', async () => {
    const [living, killed] = await Promise.all([maker(), maker()]);
    try {
      await kill(killed);
      const deadlineMs = performance.now() + GONE_WITHIN_MS;
      while ((await containers()).includes(killed.made.open)) {
        if (performance.now() > deadlineMs) throw new Error('the container with streams is still there');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const left = [killed.made.closed, living.made.open, living.made.closed];
      expect(await containers()).to.include.members(left);

      const swept = await test.engine.sweep();
      expect(swept.containersBefore).to.be.at.least(left.length);
      expect(swept.containersBefore - swept.containersAfter).to.be.at.least(1);
      expect(swept.networksBefore - swept.networksAfter).to.be.at.least(1);
      expect(await containers()).to.not.include(killed.made.closed);
      expect(await networks()).to.not.include(killed.made.network);
      expect(await containers()).to.include.members([living.made.open, living.made.closed]);
      expect(await networks()).to.include(living.made.network);
    } finally {
      await kill(living);
      await test.engine.sweep();
    }
    for (const id of [living.made.open, living.made.closed]) expect(await containers()).to.not.include(id);
    expect(await networks()).to.not.include(living.made.network);
  });
});
