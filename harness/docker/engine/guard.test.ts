import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { guardsOf, needsTestEngine, type TestEngine } from './engine.fixture.js';

const DOOR = new URL('./index.js', import.meta.url).href;
const GONE_WITHIN_MS = 5000;
const LOOKS_EVERY_MS = 50;

/** Makes a network, a container in it and one beside it, and says so; then it ends as it is told to. */
const maker = (image: string, end: string): string => `
  import { Engine } from '${DOOR}';
  const engine = await Engine.connect();
  const of = await engine.createNetwork({ ipVersion: 4, purpose: 'guard' });
  const spec = { image: '${image}', purpose: 'guard', command: ['sleep', '300'] };
  await engine.start({ ...spec, network: { of } });
  await engine.start({ ...spec, network: 'none' });
  console.log(engine.runId);
  ${end}`;

const ENDS = {
  'process.exit': { end: 'process.exit(0);' },
  'an error that nobody catches': { end: "throw new Error('on purpose');" },
  SIGINT: { end: '', signal: 'SIGINT' },
  SIGTERM: { end: '', signal: 'SIGTERM' },
  SIGKILL: { end: '', signal: 'SIGKILL' },
} as const satisfies Record<string, { end: string; signal?: NodeJS.Signals }>;

describe('the guard of what a process makes in an engine', function () {
  this.timeout(60_000);
  let test: TestEngine;
  before(async function () {
    test = await needsTestEngine(this);
  });
  after(() => test?.[Symbol.asyncDispose]());

  async function left(runId: string): Promise<readonly string[]> {
    const filters = { label: [`lastack.run=${runId}`] };
    const containers = await test.engine.docker.listContainers({ all: true, filters });
    const networks = await test.engine.docker.listNetworks({ filters });
    return [
      ...containers.flatMap(({ Names }) => Names),
      ...networks.map(({ Name }) => Name),
      ...guardsOf(runId).map((pid) => `guard ${pid}`),
    ];
  }

  async function goneWithin(runId: string, withinMs: number): Promise<readonly string[]> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const still = await left(runId);
      if (still.length === 0 || performance.now() > deadlineMs) return still;
      await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY_MS));
    }
  }

  function start(end: string): ChildProcess {
    const args = ['--input-type=module', '-e', maker(test.image, end)];
    // A group of its own, as a command that was typed into a terminal.
    return spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  async function runIdOf(child: ChildProcess): Promise<string> {
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    return String(line).trim();
  }

  for (const [name, { end, ...how }] of Object.entries(ENDS))
    it(`leaves nothing within ${GONE_WITHIN_MS / 1000} s of ${name}, itself included`, async () => {
      const child = start(end);
      const over = once(child, 'exit');
      const runId = await runIdOf(child);
      if ('signal' in how) {
        expect(await left(runId)).to.have.lengthOf(4);
        // A terminal's Ctrl-C goes to the whole group.
        process.kill(-(child.pid ?? 0), how.signal);
      }
      await over;
      expect(await goneWithin(runId, GONE_WITHIN_MS)).to.deep.equal([]);
    });

  it('ends at once when the engine is closed, and keeps no process from ending', async () => {
    const child = start('await engine[Symbol.asyncDispose]();');
    const over = once(child, 'exit');
    const runId = await runIdOf(child);
    await over;
    expect(await goneWithin(runId, 500)).to.deep.equal([]);
  });

  it('does not start for what ends with its standard input', async () => {
    const spec = `{ image: '${test.image}', purpose: 'guard', command: ['echo'], network: 'none', stdio: true }`;
    const script = `
      import { Engine } from '${DOOR}';
      const engine = await Engine.connect();
      await engine.start(${spec});
      console.log(engine.runId);
      process.stdin.resume();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const over = once(child, 'exit');
    const runId = await runIdOf(child);
    expect(guardsOf(runId)).to.deep.equal([]);
    child.kill('SIGKILL');
    await over;
    expect(await goneWithin(runId, GONE_WITHIN_MS)).to.deep.equal([]);
  });
});
