import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { findTracefs, sweepInstances } from './tracing-instance.js';

const OWNER = fileURLToPath(new URL('./owner-fixture.js', import.meta.url));
const tracefs = findTracefs();

async function startOwner(): Promise<{ owner: ChildProcess; path: string }> {
  const owner = spawn(process.execPath, [OWNER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, path: line.toString().trim() };
}

/** Command lines of all processes: none may speak of what has ended. */
const processesThatName = (text: string): string[] =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(text));

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

async function gone(path: string): Promise<void> {
  for (let tries = 0; existsSync(path) || processesThatName(path).length > 0; tries += 1) {
    if (tries > 400) throw new Error(`${path} or its guard is still there`);
    await setTimeout(10);
  }
}

describe('a tracing instance', () => {
  before(function () {
    if (!('why' in tracefs)) return;
    console.log(`    skipped: ${tracefs.why}`);
    this.skip();
  });

  for (const [how, end] of [
    ['kill -9', (owner: ChildProcess) => owner.kill('SIGKILL')],
    ['Ctrl-C', (owner: ChildProcess) => owner.kill('SIGINT')],
    ['its normal exit', (owner: ChildProcess) => owner.stdin?.end()],
  ] as const) {
    it(`is gone after ${how} of its owner, and its guard too`, async () => {
      const { owner, path } = await startOwner();
      expect(existsSync(path)).to.equal(true);
      const ended = once(owner, 'exit');
      end(owner);
      await ended;
      await gone(path);
    });
  }

  it('of an owner that ended without a guard is swept away, those of the living are not', async () => {
    if ('why' in tracefs) return;
    const instances = join(tracefs.root, 'instances');
    const stale = join(instances, `lastack-${process.pid}-1-1`);
    const { owner, path } = await startOwner();
    mkdirSync(stale);
    try {
      sweepInstances(instances);
      expect([existsSync(stale), existsSync(path)]).to.deep.equal([false, true]);
    } finally {
      if (existsSync(stale)) rmdirSync(stale);
      owner.stdin?.end();
      await gone(path);
    }
  });
});
