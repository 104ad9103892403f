/** Guests that die under their labs, by all means: who hears of it, what is said, and what comes after. */
import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { NANOS_PER_SECOND } from '../../clock/index.js';
import { AgentGone } from '../../endpoint/index.js';
import { decode } from '../../segment/index.js';
import { GuestDied } from '../../uml/index.js';
import type { Lab, LabOptions } from '../lab.js';
import { END_FILE, mortalInitramfs, needsCompiler, rogueInitramfs } from './rogue.fixture.js';
import { connected, failureOf, kernelVersion, needsKernel } from './virtual.fixture.js';
import { VirtualLab } from './virtual-lab.js';
import { World, type WorldOptions } from './world.js';

const WITHIN_MS = 10_000;

let world: World;

function open(options: Partial<LabOptions> = {}): Promise<VirtualLab> {
  const version = kernelVersion();
  return VirtualLab.open({ ipVersion: 4, ...options }, { client: version, server: version }, world);
}

const sleep = (lab: Lab, seconds: number): Promise<void> =>
  new Promise((resolve) => lab.clock.at(lab.clock.now() + seconds * NANOS_PER_SECOND, resolve));

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** Not even a zombie. */
const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sends a signal to a guest, its helpers included, while this thread is busy. */
function signalLater(pid: number, signal: NodeJS.Signals, afterMs: number): Worker {
  const script = `setTimeout(() => process.kill(${-pid}, '${signal}'), ${afterMs});`;
  return new Worker(script, { eval: true });
}

/** Connections one after the other, until one fails. */
async function untilItFails(lab: Lab): Promise<Error> {
  const deadlineMs = performance.now() + WITHIN_MS;
  const forEver = async (): Promise<void> => {
    const listener = await lab.endpoint('server').listen();
    while (performance.now() < deadlineMs) {
      const client = await lab.endpoint('client').connect(listener.local);
      const server = await listener.accept();
      await client.send('ping');
      await server.receive();
      await client.abort();
      await server.abort();
    }
  };
  return failureOf(forEver());
}

/** A connection from its opening to the end of its TIME-WAIT: all that a lab saw of it, with the stamps. */
async function story(): Promise<readonly string[]> {
  await using lab = await open();
  const { client, server } = await connected(lab);
  await client.send('ping');
  expect(String((await server.receiveAll({ octets: 4 })).data)).to.equal('ping');
  await client.close();
  await server.receive();
  await server.close();
  await sleep(lab, 70);
  const { segments, transitions } = await lab.recording();
  return [
    ...segments.map(({ atNs, from, packet }) => {
      const decoded = decode(packet);
      const flags = decoded.kind === 'segment' ? decoded.segment.flags : -1;
      return `${atNs} ${from} ${flags} ${packet.length}`;
    }),
    ...transitions.map(({ atNs, side, from, to }) => `${atNs} ${side} ${from} ${to}`),
  ];
}

describe('guests that die', function () {
  this.timeout(30_000);
  /** What a lab sees in a world of its own. */
  let reference: readonly string[];

  before(async function () {
    needsKernel.call(this);
    world = new World();
    reference = await story();
    await world.close();
  });
  beforeEach(() => {
    world = new World({ hangsMs: 600 });
  });
  afterEach(async () => {
    const pids = world.pids();
    await world.close();
    expect(pids.filter(isThere), 'processes').to.deep.equal([]);
  });

  /** A lab has just died with its client's guest: what it says, and that the next lab has another and sees what it should. */
  async function expectHealed(
    lab: VirtualLab,
    [client, server]: readonly number[],
    reason: RegExp,
  ): Promise<void> {
    const failure = await failureOf(lab.recording());
    expect(failure).to.be.instanceOf(GuestDied);
    expect(failure.message).to.match(new RegExp(`^the guest linux@\\S+ client died: ${reason.source}`));
    await lab[Symbol.asyncDispose]();
    expect(await story()).to.deep.equal(reference);
    const [another, same] = world.pids().toSorted((a, b) => Number(a === server) - Number(b === server));
    expect(another).not.to.equal(client);
    expect(same, 'the guest of the other side').to.equal(server);
    await until(() => !isThere(client ?? 0), 'the end of the process');
  }

  it('are replaced when they were killed between two labs', async () => {
    expect(await story()).to.deep.equal(reference);
    const [client = 0, server] = world.pids();
    process.kill(-client, 'SIGKILL');
    await until(() => !isRunning(client), 'the end of the guest');
    expect(await story()).to.deep.equal(reference);
    expect(world.pids()).to.include(server);
    expect(world.pids()).not.to.include(client);
  });

  it('fail their lab when they are killed in the middle', async () => {
    const lab = await open();
    const pids = world.pids();
    const killer = signalLater(pids[0] ?? 0, 'SIGKILL', 50);
    const error = await untilItFails(lab);
    await killer.terminate();
    expect(error).to.be.instanceOf(AgentGone);
    expect(error.message).to.match(
      /^the agent is gone: the guest linux@\S+ client died: its process was ended by SIGKILL$/,
    );
    await expectHealed(lab, pids, /its process was ended by SIGKILL/);
  });

  it('fail their lab when only the process of the kernel is killed', async () => {
    const lab = await open();
    const pids = world.pids();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await untilItFails(lab);
    await expectHealed(lab, pids, /its process was ended by SIGKILL/);
  });

  it('fail their lab when they hang, once they have said nothing for too long', async () => {
    const lab = await open();
    const pids = world.pids();
    const beganMs = performance.now();
    process.kill(-(pids[0] ?? 0), 'SIGSTOP');
    await untilItFails(lab);
    expect(performance.now() - beganMs).to.be.within(300, 5000);
    await expectHealed(lab, pids, /it hangs: it has said nothing for 600 ms/);
  });

  it('fail their lab when their kernel panics, with what it said', async function () {
    needsCompiler.call(this);
    world = new World({ initramfsFile: mortalInitramfs() });
    const lab = await open();
    const pids = world.pids();
    const [client] = await world.hosts([{ version: kernelVersion(), side: 'client' }]);
    await client?.client.open(0, END_FILE, ['write', 'create']);
    await sleep(lab, 2);
    const panic = 'Attempted to kill init! exitcode=0x00000300';
    await expectHealed(
      lab,
      pids,
      new RegExp(`its kernel panicked: ${panic}[^]*panic - not syncing: ${panic}`),
    );
  });

  it('fail their lab when their agent answers no more, though they live', async () => {
    const lab = await open();
    const pids = world.pids();
    const [client] = await world.hosts([{ version: kernelVersion(), side: 'client' }]);
    // Whoever asks for memory now waits for it for ever.
    const file = '/proc/sys/vm/min_free_kbytes';
    const writing = failureOf(client?.client.writeFile(0, file, '4000000') ?? Promise.resolve());
    await untilItFails(lab);
    expect((await writing).message).to.match(/it did not fail|answers no more$/);
    await expectHealed(lab, pids, /its agent answers no more/);
  });

  it('fail all labs that they had, and no other', async () => {
    const labs = await Promise.all([open(), open({ ipVersion: 6 }), open({ peer: 'server' })]);
    const spared = await open({ peer: 'client' });
    const listeners = await Promise.all(labs.map((lab) => lab.endpoint('client').listen()));
    const waiting = listeners.map((each) => failureOf(each.accept({ withinMs: 86_400_000 })));
    const [client = 0] = world.pids();
    process.kill(-client, 'SIGKILL');
    for (const error of await Promise.all(waiting)) expect(error).to.be.instanceOf(AgentGone);
    const failures = await Promise.all(labs.map((lab) => failureOf(lab.recording())));
    expect(new Set(failures).size, 'one error for all').to.equal(1);
    expect(failures[0]).to.be.instanceOf(GuestDied);
    const listener = await spared.endpoint('server').listen();
    expect((await spared.endpoint('server').sockets()).length).to.equal(1);
    await listener.close();
    expect((await spared.recording()).segments).to.deep.equal([]);
    for (const lab of [...labs, spared]) await lab[Symbol.asyncDispose]();
    expect(await story()).to.deep.equal(reference);
  });

  it('fail a lab that is being opened, at whatever moment; the next one opens', async () => {
    await story();
    const outcomes = new Set<string>();
    for (let afterMs = 0; afterMs < 60; afterMs += 6) {
      const [client = 0] = world.pids();
      const killer = signalLater(client, 'SIGKILL', afterMs);
      const opening = await open().then(
        async (lab) => {
          await untilItFails(lab);
          await lab[Symbol.asyncDispose]();
          return 'opened';
        },
        (error: unknown) => error,
      );
      await until(() => !isRunning(client), 'the end of the guest');
      await killer.terminate();
      if (opening !== 'opened') {
        expect(opening).to.be.instanceOf(GuestDied);
        expect(String(opening)).to.contain(' died: its process was ended by SIGKILL');
      }
      outcomes.add(opening === 'opened' ? 'opened' : 'refused');
      expect(await story()).to.deep.equal(reference);
    }
  });

  it('leave no file open', async () => {
    await story();
    const files = openFiles();
    for (let times = 0; times < 5; times += 1) {
      const lab = await open();
      for (const pid of world.pids()) process.kill(-pid, 'SIGKILL');
      await untilItFails(lab);
      await lab[Symbol.asyncDispose]();
    }
    expect(await story()).to.deep.equal(reference);
    expect(openFiles()).to.equal(files);
  });

  it('may be ended with their labs open, which fail; all may be closed again and again', async () => {
    const lab = await open();
    const listener = await lab.endpoint('client').listen();
    const accepting = failureOf(listener.accept({ withinMs: 86_400_000 }));
    world[Symbol.dispose]();
    expect((await accepting).message).to.equal('the agent is gone: the virtual lab was closed');
    expect((await failureOf(lab.recording())).message).to.equal('the virtual lab was closed');
    await Promise.all([lab[Symbol.asyncDispose](), lab[Symbol.asyncDispose]()]);
    await lab[Symbol.asyncDispose]();
    await world.close();
    expect(await story()).to.deep.equal(reference);
  });
});

describe('a virtual world', () => {
  before(needsKernel);

  it('that is closed while a lab is being opened boots nobody any more', async () => {
    world = new World();
    const opening = failureOf(open());
    await world.close();
    expect((await opening).message).to.equal('the virtual lab was closed');
    expect(world.pids()).to.deep.equal([]);
  });
});

describe('guests whose agent does not do its work', function () {
  this.timeout(30_000);
  before(function () {
    needsKernel.call(this);
    needsCompiler.call(this);
  });
  afterEach(() => world?.close());

  const rogue = (options: WorldOptions): Promise<Error> => {
    world = new World(options);
    return failureOf(open());
  };

  for (const [what, reason] of [
    [
      'ends',
      /its kernel panicked: Attempted to kill init! exitcode=0x00000300\nthe last that its kernel said:\n(.*\n)*.*panic/,
    ],
    ['says nothing', /its agent answers no more/],
    ['babbles', /the agent is gone: a message says that it has 4294967295 octets/],
    ['computes', /it did not come up within 500 ms \(nor did linux@\S+ server\)/],
    ['reads the clock', /it did not come up within 500 ms/],
    ['yields', /it did not come up within 500 ms/],
  ] as const)
    it(`are no hosts of labs: one that ${what}`, async () => {
      const isBusy = what === 'computes' || what === 'reads the clock' || what === 'yields';
      const error = await rogue({
        initramfsFile: rogueInitramfs(what),
        ...(isBusy ? { bootsWithinMs: 500 } : {}),
      });
      expect(error).to.be.instanceOf(GuestDied);
      expect(error.message).to.match(
        new RegExp(`^the guest linux@\\S+ (client|server) died: ${reason.source}`),
      );
    });
});

describe('mistakes of the harness', () => {
  before(needsKernel);
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world?.close());

  it('in a lab concern that lab', async () => {
    const [one, other] = await Promise.all([open(), open()]);
    one.clock.at(one.clock.now() + 1, () => {
      throw new TypeError('a mistake');
    });
    await sleep(other, 1);
    expect((await failureOf(one.recording())).message).to.equal('a mistake');
    await connected(other);
    expect((await other.recording()).segments.length).to.be.greaterThan(2);
    for (const lab of [one, other]) await lab[Symbol.asyncDispose]();
  });

  it('in the world fail its labs, and the next begin in another', async () => {
    const lab = await open();
    const pids = world.pids();
    world.timeline.at(world.timeline.now() + 1, () => {
      throw new TypeError('a mistake');
    });
    await sleep(lab, 1);
    const failure = await failureOf(lab.recording());
    expect(failure.message).to.equal('the virtual lab broke: a mistake');
    expect(failure.cause).to.be.instanceOf(TypeError);
    await lab[Symbol.asyncDispose]();
    await using next = await open();
    await connected(next);
    expect(world.pids().filter((pid) => pids.includes(pid))).to.deep.equal([]);
  });
});
