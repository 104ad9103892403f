import { expect } from 'chai';
import { type Trace, traceOf, traceWith } from '../trace/index.js';
import { lastAckEnds, staysInLastAck } from './last-ack.js';
import * as story from './stories.fixture.js';
import { timeWaitLasts, timeWaitRestarts } from './time-wait.js';

const CLOSE = [...story.OPENING, ...story.EXCHANGE, ...story.FIRST_HALF, ...story.SECOND_HALF];
const withoutNotes = (trace: Trace): Trace => ({
  ...trace,
  events: trace.events.filter(({ kind }) => kind !== 'note'),
});

describe('the length of TIME-WAIT', () => {
  it('is measured, and must be 2 MSL where the stack is known', () => {
    expect(timeWaitLasts().judge(traceOf(...CLOSE, '+60100 client CLOSED')).finding).to.include(
      '60.100 s: its MSL is 30 s',
    );
    expect(timeWaitLasts().judge(traceOf(...CLOSE, '+64000 client CLOSED')).verdict).to.equal('pass');
    expect(timeWaitLasts().judge(traceOf(...CLOSE, '+59000 client CLOSED')).verdict).to.equal('fail');
  });

  it('is reported where the MSL is the stack’s secret, and compared where the scenario knows it', () => {
    const trace = traceWith({ stack: 'other@1' }, ...CLOSE, '+20000 client CLOSED');
    expect(timeWaitLasts().judge(trace).verdict).to.equal('info');
    expect(timeWaitLasts({ twoMslMs: 20_000 }).judge(trace).verdict).to.equal('pass');
    expect(timeWaitLasts({ twoMslMs: 240_000 }).judge(trace).verdict).to.equal('fail');
  });

  it('says nothing when a RST ended it, or the run did', () => {
    const reset = traceOf(...CLOSE, '+100 server RST peer', 'client CLOSED');
    expect(timeWaitLasts().judge(reset).verdict).to.equal('inconclusive');
    expect(timeWaitLasts().judge(traceOf(...CLOSE)).verdict).to.equal('inconclusive');
  });

  it('is told by the stack’s timer when nobody waited for the end', () => {
    const { verdict, finding } = timeWaitLasts().judge(withoutClosed(story.finalAckLost()));
    expect(verdict).to.equal('pass');
    expect(finding).to.include('will end, by its timer');
  });
});

const withoutClosed = (trace: Trace): Trace => ({
  ...trace,
  events: trace.events.filter((event) => event.kind !== 'transition' || event.from !== 'TIME-WAIT'),
});

describe('the restart of TIME-WAIT', () => {
  it('is not believed of an end that a late timer would give as well', () => {
    expect(timeWaitRestarts().judge(withoutNotes(story.finalAckLost())).verdict).to.equal('inconclusive');
  });

  it('is seen by the end where the FIN came late enough, or the end too early', () => {
    const trace = (endMs: number) =>
      traceOf(
        ...CLOSE.slice(0, -2),
        '+30000 server FIN,ACK again',
        'client ACK again',
        `+${endMs} client CLOSED`,
      );
    expect(timeWaitRestarts().judge(trace(60_000)).verdict).to.equal('pass');
    expect(timeWaitRestarts().judge(trace(30_000)).verdict).to.equal('fail');
  });
});

describe('LAST-ACK', () => {
  const until = [...CLOSE.slice(0, -3)];

  it('may be given up after repeats, and not before', () => {
    const lost = story.lostPassiveFin([204, 408]);
    expect(staysInLastAck().judge(lost).finding).to.include('then given up');
    const early = traceOf(...until.slice(0, -1), 'server CLOSED');
    expect(staysInLastAck().judge(early).verdict).to.equal('fail');
  });

  it('must end with the ACK', () => {
    expect(lastAckEnds().judge(traceOf(...until, 'client ACK', '+400 mark end')).verdict).to.equal('fail');
    expect(lastAckEnds().judge(traceOf(...until, 'client ACK', '+400 server CLOSED')).verdict).to.equal(
      'fail',
    );
    expect(
      lastAckEnds().judge(traceOf(...until, 'client ACK', '+400 server CLOSED bounded 400')).verdict,
    ).to.equal('pass');
  });
});
