import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { libc } from '../../sys/index.js';
import { connected, needsNetns, withLab } from './netns.fixture.js';
import { type NetnsLab, openNetnsLab } from './netns-lab.js';
import { PORT_COUNT } from './thread/packet-port.js';
import { WireThread } from './wire-thread.js';

const LABS = 100;
const WITHIN_MS = 15_000;

/** Links of the wire whose other end still lives: the kernel frees namespaces in its own time. */
function linksLeft(first: number, last: number): number {
  let left = 0;
  for (const { namespace } of WireThread.shared().farSides) {
    namespace.run(() => {
      for (let index = first; index <= last; index += 1) if (libc.ifNametoindex(`l${index}`) !== 0) left += 1;
    });
  }
  return left;
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('what a lab leaves behind', () => {
  before(needsNetns);

  it(`is nothing after ${LABS} labs that were open at once`, async () => {
    await withLab({ ipVersion: 4 }, connected);
    const files = openFiles();
    const first = WireThread.shared().nextIfindex();
    const labs: NetnsLab[] = [];
    for (let i = 0; i < LABS; i += 1) labs.push(await openNetnsLab({ ipVersion: i % 2 === 0 ? 4 : 6 }));
    await Promise.all(labs.map(connected));
    expect(linksLeft(first, first + 2 * LABS)).to.equal(2 * LABS);
    await Promise.all(labs.map((lab) => lab[Symbol.asyncDispose]()));
    expect(openFiles()).to.be.at.most(files);
    await until(() => linksLeft(first, first + 2 * LABS) === 0, 'the end of the namespaces');
  });

  it('is nothing when a connection was left in the middle of its close', async () => {
    const first = WireThread.shared().nextIfindex();
    await withLab({ ipVersion: 4 }, async (lab) => {
      const { client } = await connected(lab);
      await lab.wire.add({ id: 'all', match: {}, action: { kind: 'drop' } });
      await client.close();
    });
    await until(() => linksLeft(first, first + 2) === 0, 'the end of the orphan');
  });

  it('is nothing when a lab could not be made', async () => {
    const files = openFiles();
    const settings = { server: { 'ipv4.tcp_nonsense': 1 } };
    await withLab({ ipVersion: 4, settings }, async () => {}).catch(() => {});
    expect(openFiles()).to.equal(files);
    expect(PORT_COUNT).to.equal(WireThread.shared().farSides.length);
  });

  it('does not keep the process from ending, with a lab open', async () => {
    const child = runScript(`await openNetnsLab({ ipVersion: 4 }); console.log('open');`);
    const [code] = await once(child, 'exit');
    expect(code).to.equal(0);
  });

  it('does not keep the process from ending when it exits or throws', async () => {
    const exits = runScript(`await openNetnsLab({ ipVersion: 4 }); process.exit(5);`);
    const throws = runScript(
      `await openNetnsLab({ ipVersion: 4 }); process._rawDebug = () => {}; throw 'x';`,
    );
    const [[code], [thrown]] = await Promise.all([once(exits, 'exit'), once(throws, 'exit')]);
    expect([code, thrown]).to.deep.equal([5, 1]);
  });
});

function runScript(body: string) {
  const door = new URL('../index.js', import.meta.url).href;
  const script = `const { openNetnsLab } = await import(${JSON.stringify(door)});\n${body}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
}
