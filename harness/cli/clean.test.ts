/** What a lastack that was killed leaves, and "lastack clean" takes away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { Engine, tar } from '../docker/index.js';
import { NetworkNamespace } from '../sys/index.js';
import { messageOf } from '../text/index.js';
import { rulesCapability } from '../wire/index.js';
import {
  lastack,
  MAIN,
  needsOrdinaryUser,
  needsRoot,
  ORDINARY,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const PARTS = /namespaces: (\d+) parts of applied rules before, (\d+) removed, (\d+) left/;
const ENGINE = /: (\d+) containers of lastack before, (\d+) left; (\d+) networks before, (\d+) left/;

const numbers = (text: string, line: RegExp): readonly number[] => {
  const [, ...found] = line.exec(text) ?? [];
  if (found.length === 0) throw new Error(`it did not say ${line}: ${text}`);
  return found.map(Number);
};

describe('lastack clean', function () {
  this.timeout(60_000);
  let folder: TemporaryFolder;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => folder.remove());

  const clean = (env: Readonly<Record<string, string>> = {}, uid?: number) =>
    lastack(['clean'], { folder: folder.path, env, ...(uid !== undefined && { uid }) });

  describe('of applied rules', () => {
    let killed: NetworkNamespace;
    let living: NetworkNamespace;
    beforeEach(function () {
      needsRoot.call(this);
      const { works, sentence } = rulesCapability('nft');
      if (!works) {
        process.stderr.write(`skipped: ${sentence}\n`);
        this.skip();
      }
      [killed, living] = [NetworkNamespace.create(), NetworkNamespace.create()];
    });
    afterEach(() => {
      for (const namespace of [killed, living]) namespace?.[Symbol.dispose]();
    });

    const applying = async (namespace: NetworkNamespace, as: string): Promise<ChildProcess> => {
      const args = ['rules', '--fault', 'drop client.syn', '--port', '80', '--as', as, '--apply'];
      const child = namespace.run(() =>
        spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] }),
      );
      let said = '';
      while (!said.includes('# applied')) said += String((await once(child.stdout, 'data'))[0]);
      child.stdout.resume();
      return child;
    };

    for (const as of ['iptables', 'nft'])
      it(`takes away those of a process that was killed, and leaves those of one that lives: ${as}`, async () => {
        // A namespace is found by who is in it: that is this one, when its lastack has been killed.
        const sleeper = killed.run(() => spawn('sleep', ['60']));
        const [first, second] = await Promise.all([applying(killed, as), applying(living, as)]);
        try {
          const [there = 0] = numbers((await clean()).stdout, PARTS);
          first.kill('SIGKILL');
          await once(first, 'exit');
          const { code, stdout, stderr } = await clean();
          expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
          const [before = 0, removed = 0, after = 0] = numbers(stdout, PARTS);
          expect(before).to.equal(there);
          expect(removed).to.be.above(0);
          expect(after)
            .to.equal(before - removed)
            .and.to.be.above(0);
          expect(numbers((await clean()).stdout, PARTS)).to.deep.equal([after, 0, after]);
        } finally {
          second.kill('SIGINT');
          await once(second, 'exit');
          sleeper.kill();
          await once(sleeper, 'exit');
        }
      });
  });

  describe('of a Docker engine', () => {
    let engine: Engine;
    let image: string;
    before(async function () {
      try {
        engine = await Engine.connect();
      } catch (error) {
        process.stderr.write(`skipped: ${messageOf(error)}\n`);
        this.skip();
      }
      image = `lastack-test-${engine.runId}`;
      const archive = tar([{ path: '/nothing', content: new Uint8Array(0), mode: 0o644 }]);
      const answer = await engine.docker.importImage(Readable.from([archive]) as never, { repo: image });
      for await (const _ of answer);
    });
    after(async () => {
      await engine?.docker.getImage(image).remove({ force: true });
      await engine?.[Symbol.asyncDispose]();
    });

    it('takes away what a process that was killed has made in it, counted', async () => {
      // Nothing in the image can run: the container is made as ours are, and does not start.
      const script = `
        const { Engine } = await import('${new URL('../docker/index.js', import.meta.url)}');
        const engine = await Engine.connect();
        const { id: network } = await engine.createNetwork({ ipVersion: 4, purpose: 'left' });
        const { Labels } = await engine.docker.getNetwork(network).inspect();
        const made = await engine.docker.createContainer({ Image: '${image}', Cmd: ['/nothing'], Labels });
        console.log(JSON.stringify({ container: made.id, network }));
        setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = await once(child.stdout, 'data');
      const { container, network } = JSON.parse(String(said));
      // Its guard as well, which would be faster.
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
        .trim()
        .split(' ');
      for (const guard of children) process.kill(Number(guard), 'SIGKILL');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const { stdout } = await clean();
      const [containers = 0, containersLeft = 0, networks = 0, networksLeft = 0] = numbers(stdout, ENGINE);
      expect(containers - containersLeft).to.be.at.least(1);
      expect(networks - networksLeft).to.be.at.least(1);
      const all = await engine.docker.listContainers({ all: true });
      expect(all.map(({ Id }) => Id)).to.not.include(container);
      expect((await engine.docker.listNetworks()).map(({ Id }) => Id)).to.not.include(network);
    });

    it('is done without root too, where the engine may be used, and says what was not looked into', async function () {
      needsOrdinaryUser.call(this);
      const { code, stdout, stderr } = await clean({ DOCKER_HOST: 'tcp://127.0.0.1:1' }, ORDINARY);
      expect(stdout).to.match(/^no Docker engine was looked into: nobody answers/);
      expect(stderr).to.match(/network namespaces of others takes root/);
      expect(code).to.equal(3);
    });
  });

  it('goes on where there is no engine, and says so', async function () {
    needsRoot.call(this);
    const { code, stdout } = await clean({ DOCKER_HOST: 'unix:///nowhere' });
    expect(stdout)
      .to.match(PARTS)
      .and.to.match(/^no Docker engine was looked into: there is no socket of/m);
    expect(code).to.equal(0);
  });
});
