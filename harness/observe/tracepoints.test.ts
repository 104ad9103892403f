import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { monotonicNs } from '../sys/index.js';
import { measureTracepointAlignment } from './alignment.js';
import { probeEyes } from './capability.js';
import { Loopback } from './loopback-fixture.js';
import { owning } from './owning-fixture.js';
import { TraceOverrun, TracepointSession } from './tracepoints.js';
import { findTracefs } from './tracing-instance.js';

const tracefs = findTracefs();
const SESSION_MODULE = new URL('./tracepoints.js', import.meta.url).href;

// Tracepoints hear all namespaces: this process's tests have ports of their own.
const SERVER_PORT = 50_000 + (process.pid % 10_000);

describe('a session of tracepoints', () => {
  const own = owning();
  let session: TracepointSession;

  before(function () {
    if ('why' in tracefs) {
      console.log(`    skipped: ${tracefs.why}`);
      this.skip();
    }
    session = TracepointSession.shared();
  });
  after(() => session?.[Symbol.dispose]());

  it('gives each lab its own addresses only, on its own clock', () => {
    const lo = own(new Loopback(4));
    const before = monotonicNs();
    const tap = own(
      session.tap({
        epochNs: before,
        sideOf: (local) => (local.port === SERVER_PORT ? 'server' : undefined),
      }),
    );
    const other = own(session.tap({ epochNs: before, sideOf: () => undefined }));
    lo.listen(SERVER_PORT);
    lo.connect(SERVER_PORT, 4001);
    const events = tap.flush();
    const afterNs = Number(monotonicNs() - before);
    expect(events.map(({ change }) => change?.to)).to.include.members([
      'LISTEN',
      'SYN-RECEIVED',
      'ESTABLISHED',
    ]);
    expect(events.every(({ atNs }) => atNs > 0 && atNs < afterNs)).to.equal(true);
    expect(other.flush()).to.deep.equal([]);
  });

  it('says so when events were lost, and only to those who were there', () => {
    if ('why' in tracefs) return;
    const small = own(new TracepointSession(tracefs.root, 4));
    const lo = own(new Loopback(4));
    const tap = own(small.tap({ epochNs: monotonicNs(), sideOf: () => 'client' }));
    for (let i = 0; i < 400; i += 1) lo.close(lo.listen(SERVER_PORT));
    expect(() => tap.flush()).to.throw(TraceOverrun, 'events are lost');
    const later = own(small.tap({ epochNs: monotonicNs(), sideOf: () => undefined }));
    expect(later.flush()).to.deep.equal([]);
  });

  it('loses nothing of ten thousand events that are drained as they come', async function () {
    this.timeout(20_000);
    const lo = own(new Loopback(4));
    const tap = own(
      session.tap({
        epochNs: monotonicNs(),
        sideOf: (local, remote) => (local.port === SERVER_PORT && remote.port === 0 ? 'server' : undefined),
      }),
    );
    for (let i = 0; i < 3334; i += 1) {
      lo.close(lo.listen(SERVER_PORT));
      if (i % 500 === 0) await new Promise(setImmediate);
    }
    const listens = tap.flush().filter(({ change }) => change?.to === 'LISTEN');
    expect(listens.length).to.equal(3334);
  });

  it('bears stamps that agree with hrtime to within microseconds', () => {
    const { errorNs, worstViolationNs, samples } = measureTracepointAlignment(session);
    expect(samples).to.equal(32);
    expect(errorNs).to.be.below(100_000);
    expect(worstViolationNs).to.be.below(2000);
  });
});

describe('a process that has a session', () => {
  it('ends when it has nothing left to do, without a word and without leaving anything', async function () {
    if ('why' in tracefs) this.skip();
    const script = `import(${JSON.stringify(SESSION_MODULE)}).then((m) => m.TracepointSession.shared())`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said: Buffer[] = [];
    child.stderr.on('data', (data: Buffer) => said.push(data));
    const [code] = await once(child, 'exit');
    expect({ code, said: Buffer.concat(said).toString() }).to.deep.equal({ code: 0, said: '' });
    const instances = readdirSync(`${tracefs.root}/instances`);
    expect(instances.filter((name) => name.startsWith(`lastack-${child.pid}-`))).to.deep.equal([]);
  });
});

describe('the probe of eyes', () => {
  it('says of each eye in one sentence whether it works', () => {
    const eyes = probeEyes();
    expect(eyes.map(({ eye }) => eye)).to.deep.equal(['tracepoint', 'sock_diag', 'destroy', 'tcp_info']);
    expect(eyes.find(({ eye }) => eye === 'tracepoint')?.works).to.equal(!('why' in tracefs));
    expect(eyes.find(({ eye }) => eye === 'sock_diag')?.works).to.equal(true);
    for (const { sentence } of eyes) expect(sentence).to.not.match(/\n|\.$/);
  });
});
