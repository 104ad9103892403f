/** What is left when the command ends, is interrupted or killed: nothing. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  ended,
  MAIN,
  needsLabs,
  needsOrdinaryUser,
  needsRoot,
  ORDINARY,
  type SpawnedOptions,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const WITHIN_MS = 10_000;
const TRACING = '/sys/kernel/tracing/instances';
const LABS = 200;
/** Namespaces that a user may have at once in the run of that many labs: too few for a lab that leaves one behind. */
const MOST_NAMESPACES = 100;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const processes = (): readonly number[] => readdirSync('/proc').flatMap((name) => Number(name) || []);

function parentOf(pid: number): number | undefined {
  try {
    // pid (command) state parent …: the command may hold brackets and blanks.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** A process and all that it started, directly or not. */
function family(root: number): readonly number[] {
  const all = processes();
  const found = [root];
  for (const one of found) found.push(...all.filter((pid) => parentOf(pid) === one));
  return found;
}

/** The network namespaces that a process is in or holds open, by inode. */
function namespacesOf(pid: number): readonly string[] {
  const links = [`/proc/${pid}/ns/net`];
  try {
    links.push(...readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`));
  } catch {
    // It has ended meanwhile.
  }
  return links.flatMap((link) => {
    try {
      const target = readlinkSync(link);
      return target.startsWith('net:') ? [target] : [];
    } catch {
      return [];
    }
  });
}

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

const tracingOf = (pids: readonly number[]): readonly string[] =>
  existsSync(TRACING)
    ? readdirSync(TRACING).filter((name) => pids.some((pid) => name.startsWith(`lastack-${pid}-`)))
    : [];

const own = new Set(namespacesOf(process.pid));

describe('what the command leaves behind', () => {
  let folder: TemporaryFolder;
  before(needsLabs);
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  /** Starts a long run, ends it with `signal` once its labs are open, and looks for what is left of it. */
  async function leavesNothing(signal: NodeJS.Signals, uid?: number): Promise<number | null> {
    const options: SpawnedOptions = { folder: folder.path, ...(uid === undefined ? {} : { uid }) };
    const child = start(process.execPath, [MAIN, 'run', 'time-wait', 'handshake', '--out', 'out'], options);
    const end = ended(child);
    const { members, namespaces } = await inTheMiddle(child);
    child.kill(signal);
    const { code } = await end;
    await until(() => !members.some(isAlive), `the end of processes ${members.join(', ')}`);
    await until(() => tracingOf(members).length === 0, 'the end of the tracing instance');
    const holders = processes().filter((pid) => namespacesOf(pid).some((each) => namespaces.includes(each)));
    expect(holders, 'processes that hold its namespaces').to.deep.equal([]);
    expect(readdirSync(folder.path)).to.have.members(['out']);
    expect(readdirSync(join(folder.path, 'out')).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
    return code;
  }

  /** Waits until a run has labs; its processes, the guard included, and its namespaces. */
  async function inTheMiddle(child: ChildProcess) {
    const pid = child.pid ?? 0;
    const held = (): readonly string[] =>
      family(pid)
        .flatMap(namespacesOf)
        .filter((each) => !own.has(each));
    await until(() => held().length >= 8, 'the opening of labs');
    return { members: family(pid), namespaces: held() };
  }

  for (const [signal, code] of [
    ['SIGKILL', null],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`is nothing after ${signal} in the middle of a run`, async () => {
      expect(await leavesNothing(signal)).to.equal(code);
    });

  for (const [signal, code] of [
    ['SIGKILL', null],
    ['SIGTERM', 143],
  ] as const)
    it(`is nothing after ${signal} in the middle of an ordinary user's run`, async function () {
      needsOrdinaryUser.call(this);
      expect(await leavesNothing(signal, ORDINARY)).to.equal(code);
    });

  it(`is nothing after ${LABS} labs: no namespace, no open file, no file`, async function () {
    needsRoot.call(this);
    this.timeout(60_000);
    const door = new URL('../index.js', import.meta.url).href;
    const script = `
      import { readdirSync } from 'node:fs';
      const { openNetnsLab } = await import(${JSON.stringify(door)});
      const openFiles = () => readdirSync('/proc/self/fd').length;
      // The kernel frees namespaces in its own time: a lab that is refused is asked for once more, for some seconds.
      const opened = async (ipVersion, deadline = performance.now() + ${WITHIN_MS}) => {
        for (;;) {
          try {
            return await openNetnsLab({ ipVersion });
          } catch (error) {
            if (performance.now() > deadline) throw error;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      };
      const one = async (i) => {
        const lab = await opened(i % 2 ? 4 : 6);
        const listener = await lab.endpoint('server').listen();
        await (await lab.endpoint('client').connect(listener.local)).send('x');
        await lab[Symbol.asyncDispose]();
      };
      await one(0);
      const before = openFiles();
      for (let i = 1; i < ${LABS}; i += 1) await one(i);
      console.log(openFiles() - before);
      process.exit();`;
    const limited = `echo ${MOST_NAMESPACES} > /proc/sys/user/max_net_namespaces && exec "$@"`;
    const node = [process.execPath, '--input-type=module', '-e', script];
    const unshare = ['--user', '--map-root-user', '--net', 'sh', '-c', limited, 'sh', ...node];
    const { code, stdout, stderr } = await ended(start('unshare', unshare, { folder: folder.path }));
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(Number(stdout), 'open files more than before').to.equal(0);
    expect(readdirSync(folder.path)).to.deep.equal([]);
  });
});
