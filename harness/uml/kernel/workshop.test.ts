import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ownCache } from './cache.fixture.js';
import { sweep, Workshop } from './workshop.js';

const MODULE = new URL('./workshop.js', import.meta.url).href;

describe('a workshop', () => {
  const cache = ownCache();
  const builds = (): readonly string[] =>
    existsSync(join(cache.path, 'build')) ? readdirSync(join(cache.path, 'build')) : [];

  it('runs programs, hears their lines, and logs both', async () => {
    await using workshop = new Workshop('test');
    const heard: string[] = [];
    const ended = await workshop.run('sh', ['-c', 'echo one; echo two >&2; exit 3'], {
      onLine: (line) => heard.push(line),
    });
    expect(ended.failed).to.equal(true);
    expect(heard).to.have.members(['one', 'two']);
    expect(ended.lines).to.deep.equal(heard);
    expect(readFileSync(workshop.logFile, 'utf8')).to.match(
      /^\$ sh -c .*\n(one\ntwo|two\none)\n.*exit code 3/,
    );
  });

  it('fails where there is no such program', async () => {
    await using workshop = new Workshop('test');
    expect((await workshop.run('no-such-program', [])).failed).to.equal(true);
  });

  it("does not hand on what a caller's own make has set", async () => {
    process.env.MAKEFLAGS = '--jobserver-auth=3,4';
    try {
      await using workshop = new Workshop('test');
      const { lines } = await workshop.run('sh', ['-c', 'echo "<$MAKEFLAGS>" "<$LC_ALL>"']);
      expect(lines).to.deep.equal(['<> <C>']);
    } finally {
      delete process.env.MAKEFLAGS;
    }
  });

  it('is gone afterwards, with the programs that still run', async () => {
    const workshop = new Workshop('test');
    const running = workshop.run('sh', ['-c', 'sleep 1000 & echo $!; wait']);
    await sleep(100);
    await workshop[Symbol.asyncDispose]();
    const { lines, failed } = await running;
    expect(failed).to.equal(true);
    await hasDied(Number(lines[0]));
    expect(builds()).to.deep.equal([]);
    expect(readdirSync(join(cache.path, 'logs'))).to.deep.equal([]);
  });

  /** A process that has a workshop, and in it a program that would go on; resolves when both are there. */
  async function another(): Promise<{ child: ChildProcess; program: number }> {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { Workshop } from ${JSON.stringify(MODULE)};
         process.once('SIGINT', () => process.exit(130));
         const workshop = new Workshop('test');
         await workshop.run('sh', ['-c', 'sleep 1000 & echo $!; wait'], { onLine: (line) => console.log(line) });`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const program = await new Promise<number>((resolve) =>
      child.stdout?.once('data', (data: Buffer) => resolve(Number(data.toString()))),
    );
    return { child, program };
  }

  const ended = (child: ChildProcess): Promise<unknown> =>
    new Promise((resolve) => child.once('close', resolve));

  it('is gone after Ctrl-C too, with all that ran in it', async () => {
    const { child, program } = await another();
    expect(builds()).to.have.lengthOf(1);
    child.kill('SIGINT');
    await ended(child);
    expect(builds()).to.deep.equal([]);
    await hasDied(program);
  });

  it('of a process that was killed goes with the next one, and of a living one stays', async () => {
    const [killed, living] = await Promise.all([another(), another()]);
    try {
      expect(builds()).to.have.lengthOf(2);
      killed.child.kill('SIGKILL');
      await ended(killed.child);
      process.kill(killed.program); // an end that nobody can hear of leaves what it ran
      mkdirSync(join(cache.path, 'build', 'somebody’s own'));
      sweep(join(cache.path, 'build'));
      expect(builds()).to.have.lengthOf(2);
      expect(builds().some((name) => name.includes(`.${living.child.pid}-`))).to.equal(true);
    } finally {
      living.child.kill('SIGINT');
      await ended(living.child);
    }
  });
});

/** It was killed; on a busy machine that takes a moment. Without an end the test's time limit ends this. */
async function hasDied(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(5);
}

/** A zombie is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
