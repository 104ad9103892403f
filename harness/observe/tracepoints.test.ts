import { expect } from 'chai';
import { monotonicNs } from '../sys/index.js';
import { measureTracepointAlignment } from './alignment.js';
import { probeEyes } from './capability.js';
import { Loopback } from './loopback-fixture.js';
import { TraceOverrun, TracepointSession } from './tracepoints.js';
import { findTracefs } from './tracing-instance.js';

const tracefs = findTracefs();

// Tracepoints hear all namespaces: this process's tests have ports of their own.
const SERVER_PORT = 50_000 + (process.pid % 10_000);

describe('a session of tracepoints', () => {
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
    using lo = new Loopback(4);
    const before = monotonicNs();
    using tap = session.tap({
      epochNs: before,
      sideOf: (local) => (local.port === SERVER_PORT ? 'server' : undefined),
    });
    using other = session.tap({ epochNs: before, sideOf: () => undefined });
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
    using small = new TracepointSession(tracefs.root, 4);
    using lo = new Loopback(4);
    using tap = small.tap({ epochNs: monotonicNs(), sideOf: () => 'client' });
    for (let i = 0; i < 400; i += 1) lo.close(lo.listen(SERVER_PORT));
    expect(() => tap.flush()).to.throw(TraceOverrun, 'events are lost');
    using later = small.tap({ epochNs: monotonicNs(), sideOf: () => undefined });
    expect(later.flush()).to.deep.equal([]);
  });

  it('loses nothing of ten thousand events that are drained as they come', async function () {
    this.timeout(20_000);
    using lo = new Loopback(4);
    using tap = session.tap({
      epochNs: monotonicNs(),
      sideOf: (local, remote) => (local.port === SERVER_PORT && remote.port === 0 ? 'server' : undefined),
    });
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

describe('the probe of eyes', () => {
  it('says of each eye in one sentence whether it works', () => {
    const eyes = probeEyes();
    expect(eyes.map(({ eye }) => eye)).to.deep.equal(['tracepoint', 'sock_diag', 'destroy', 'tcp_info']);
    expect(eyes.find(({ eye }) => eye === 'tracepoint')?.works).to.equal(!('why' in tracefs));
    expect(eyes.find(({ eye }) => eye === 'sock_diag')?.works).to.equal(true);
    for (const { sentence } of eyes) expect(sentence).to.not.match(/\n|\.$/);
  });
});
