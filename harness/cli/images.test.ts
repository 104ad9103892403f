import { type ChildProcess, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Engine } from '../docker/index.js';
import { messageOf } from '../text/index.js';
import {
  ended,
  isOneSentence,
  lastack,
  MAIN,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

describe('lastack images', () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());
  const images = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    lastack(['images', ...args], { folder: folder.path, env });

  for (const [what, args, named] of [
    ['an image that there is not', ['build', 'tols'], /"tols": did you mean "tools"/],
    ['one that is like no other', ['remove', 'kubernetes'], /there are base, endpoint, wire/],
    ['an unknown option', ['build', '--forse'], /--forse/],
    ['an unknown command', ['biuld'], /biuld/],
  ] as const)
    it(`is told in one sentence of ${what}`, async () => {
      const { code, stdout, stderr } = await images(args);
      expect(stderr).to.match(named).and.to.satisfy(isOneSentence);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    });

  for (const command of ['build', 'list', 'remove'])
    it(`${command} says in one sentence that the engine is away`, async () => {
      const { code, stdout, stderr } = await images([command], {
        DOCKER_HOST: `unix://${join(folder.path, 'nobody.sock')}`,
      });
      expect(stderr)
        .to.match(/nobody\.sock.*DOCKER_HOST/)
        .and.to.satisfy(isOneSentence);
      expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' });
    });

  describe('with a Docker engine', function () {
    // Downloads, on a machine that may be busy.
    this.timeout(180_000);
    before(needsEngine);

    it('lists each with its age, or how to build it', async () => {
      const { code, stdout, stderr } = await images(['list']);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout.split('\n').filter((line) => line.startsWith('  lastack/'))).to.have.lengthOf(6);
      expect(stdout).to.match(/in the Docker engine at \S+\n$/);
    });

    it('that is interrupted while it bootstraps the base leaves nothing', async function () {
      if (spawnSync('mmdebstrap', ['--version']).status !== 0) {
        process.stderr.write('skipped: mmdebstrap is not installed\n');
        this.skip();
      }
      const cache = join(folder.path, 'cache');
      mkdirSync(cache);
      const before = await imageIds();
      const child = start(process.execPath, [MAIN, 'images', 'build', 'base', '--force'], {
        folder: folder.path,
        env: { LASTACK_CACHE: cache },
        isLeader: true,
      });
      const over = ended(child);
      try {
        await heard(child, /unpacking the essential|step \d/);
      } finally {
        if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGINT');
      }
      expect((await over).code).to.equal(130);
      expect(readdirSync(join(cache, 'build'))).to.deep.equal([]);
      expect(readdirSync(join(cache, 'logs'))).to.deep.equal([]);
      // Killed processes go when the kernel has the time.
      for (let i = 0; i < 100 && processesWith(cache).length > 0; i += 1) await sleep(20);
      expect(processesWith(cache)).to.deep.equal([]);
      expect(readFileSync('/proc/self/mounts', 'utf8')).to.not.include(cache);
      expect(await imageIds()).to.deep.equal(before);
    });
  });
});

/** A `before` hook. */
async function needsEngine(this: Mocha.Context): Promise<void> {
  try {
    await using _ = await Engine.connect();
  } catch (error) {
    process.stderr.write(`skipped: ${messageOf(error)}\n`);
    this.skip();
  }
}

async function imageIds(): Promise<readonly string[]> {
  await using engine = await Engine.connect();
  const found = await engine.docker.listImages({ filters: { label: ['lastack.image=base'] } });
  return found.map(({ Id }) => Id).sort();
}

function heard(child: ChildProcess, pattern: RegExp): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (text: string) => {
      said += text;
      if (pattern.test(said)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended too soon: ${said}`)));
  });
}

/** Those that have this text in their command line. */
const processesWith = (text: string): readonly string[] =>
  readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // it has ended
    }
  });
