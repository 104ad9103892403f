import { expect } from 'chai';
import { type Trace, traceFromJson, traceToJson, traceWith } from '../trace/index.js';
import type { Check } from './check.js';
import { finWait2Kept, finWait2TimesOut } from './fin-wait-2.js';
import { givesUp, keepsTrying } from './giving-up.js';
import { lostHandshakeAckRepaired } from './handshake-faults.js';
import { keepAliveWaitsTwoHours } from './keep-alive-interval.js';
import * as long from './long-stories.fixture.js';
import { resetEnds } from './reset.js';
import { backsOff } from './retransmission.js';
import { rtoBound, rtoDoubles } from './retransmission-timer.js';
import { closed, lostData, withOption } from './stories.fixture.js';
import { timeWaitLasts } from './time-wait.js';
import { userTimeoutAdvertised, userTimeoutKept } from './user-timeout.js';
import { staysOpenWhileProbed, zeroWindowProbesBackOff } from './zero-window.js';

const said = (check: Check, trace: Trace): string => {
  const { verdict, finding } = check.judge(trace);
  return `${verdict}: ${finding}`;
};

/** The SYN of Linux 6.1, and that of 6.5 and later. */
const SYN_61 = () => long.synLost([1024, 2048, 4096, 8192, 16_384, 33_792], 131_072);
const SYN_612 = () => long.synLost([1024, 1024, 1024, 1024, 1024, 2048, 4096, 8192, 16_384, 33_792], 134_144);

describe('giving up', () => {
  it('of a SYN is a violation before three minutes', () => {
    expect(said(keepsTrying('client.syn'), SYN_61())).to.equal(
      'fail: connect failed with ETIMEDOUT 131.072 s after the first client.syn, with 6 repeats: R2 is three minutes at least',
    );
    expect(said(keepsTrying('client.syn'), SYN_612())).to.match(/^fail: .* 134\.144 s .* 10 repeats/);
  });

  it('of all else should not come before 100 s', () => {
    const soon = [204, 408, 816];
    expect(said(keepsTrying('data'), lostData(soon))).to.match(
      /^non-strict: client CLOSED 9\.4\d\d s after the first data/,
    );
    expect(said(keepsTrying('data'), long.dataLost())).to.match(
      /^pass: receive failed with ETIMEDOUT 9\d\d\.\d+ s after/,
    );
  });

  it('before anything was repeated is a violation', () => {
    const check = keepsTrying('data');
    expect(said(check, check.mutate(lostData([204, 408, 816])))).to.match(
      /^fail: .*: given up before it was repeated$/,
    );
  });

  it('says nothing of R2 where the scenario or its program lowered it', () => {
    const pinned: Trace = { ...long.dataLost(), settings: { 'client.ipv4.tcp_retries2': 3 } };
    expect(said(keepsTrying('data'), pinned)).to.equal('inconclusive: the scenario set tcp_retries2 itself');
    expect(said(keepsTrying('client.data'), long.userTimeoutOfData())).to.equal(
      'inconclusive: the scenario set TCP_USER_TIMEOUT itself',
    );
    const ofServer: Trace = { ...long.dataLost(), settings: { 'server.ipv4.tcp_retries2': 3 } };
    expect(keepsTrying('data').judge(ofServer).verdict).to.equal('pass');
  });
});

describe('the retransmission timer', () => {
  it('of a SYN may repeat at even distance first, which is not strict', () => {
    expect(said(rtoDoubles('client.syn'), SYN_612())).to.match(
      /^non-strict: .* a time-out of 939 ms to 1\.024 s that doubles 5 times, behind 4 more gaps/,
    );
    expect(said(rtoDoubles('client.syn'), SYN_61())).to.match(/^pass: /);
    for (const trace of [SYN_61(), SYN_612()])
      expect(givesUp('client.syn').judge(trace).verdict).to.equal('pass');
  });

  it('of data doubles behind the loss probe, up to the bound', () => {
    expect(said(rtoDoubles('data'), long.dataLost())).to.match(
      /that doubles 9 times, and stays at 10\d\.\d+ s to 120\.001 s, behind a tail loss probe \(RFC 8985\)$/,
    );
    expect(backsOff('data').judge(long.dataLost()).verdict).to.equal('pass');
    expect(said(rtoBound('data'), long.dataLost())).to.match(/^pass: .*the time-out stops growing at /);
  });

  it('must not stop growing before 60 s', () => {
    const low = lostData([204, ...long.doubling(204, 12, 30_000)]);
    expect(said(rtoBound('data'), low)).to.match(/^fail: .*stops growing at 2\d\.\d+ s to 30\.020 s$/);
    expect(said(rtoDoubles('data'), low)).to.match(/^fail: .*no time-out that doubles makes these$/);
  });

  it('has shown no bound while it grows', () => {
    expect(said(rtoBound('active-fin'), long.activeFinLost())).to.match(
      /^inconclusive: .*they grew to the end$/,
    );
  });
});

describe('FIN-WAIT-2', () => {
  it('of a program that is gone ends by a timer of the stack, whose length is told', () => {
    expect(said(finWait2TimesOut(), long.finWait2OfOrphan())).to.equal(
      'info: FIN-WAIT-2 ended after 61.440 s: RFC 9293 leaves it free',
    );
    expect(said(finWait2Kept(), long.finWait2OfOrphan())).to.equal(
      'inconclusive: the program of the client was gone',
    );
  });

  it('that ends sooner than the stack has it is not strict, unless the scenario set the time', () => {
    const trace = long.finWait2OfOrphan();
    const left = trace.events.flatMap((event) =>
      event.kind === 'transition' && event.to === 'CLOSED' ? [{ ...event, atNs: event.atNs - 3e9 }] : [event],
    );
    const soon: Trace = { ...trace, events: left };
    expect(said(finWait2TimesOut(), soon)).to.equal(
      "non-strict: FIN-WAIT-2 ended after 58.440 s: this stack's time is 60.000 s",
    );
    const pinned: Trace = { ...soon, settings: { 'client.ipv4.tcp_fin_timeout': 30 } };
    expect(finWait2TimesOut().judge(pinned).verdict).to.equal('info');
  });

  it('lasts for hours while the program wants to receive', () => {
    expect(said(finWait2Kept(), long.halfClosedForHours())).to.equal(
      'pass: FIN-WAIT-2 for 10800.001 s, until the FIN came',
    );
    expect(said(finWait2TimesOut(), long.halfClosedForHours())).to.equal(
      'inconclusive: the program of the client still had the connection',
    );
  });
});

describe('keep-alive that nobody set an interval for', () => {
  it('comes after two hours', () => {
    expect(said(keepAliveWaitsTwoHours(), long.idleForADay())).to.equal(
      'pass: idle 12 times, for 7340.032 s at least before the probe',
    );
  });

  it('says nothing where the program or the scenario set one', () => {
    const set = withOption(long.idleForADay(), 'TCP_KEEPIDLE', 60);
    expect(keepAliveWaitsTwoHours().judge(set).verdict).to.equal('inconclusive');
    const pinned: Trace = { ...long.idleForADay(), settings: { 'client.ipv4.tcp_keepalive_time': 60 } };
    expect(keepAliveWaitsTwoHours().judge(pinned).verdict).to.equal('inconclusive');
  });
});

describe('a window that is shut for an hour', () => {
  it('is probed up to a bound, and the connection stays open', () => {
    const trace = long.windowShutForAnHour();
    for (const check of [
      rtoDoubles('client.window-probe'),
      zeroWindowProbesBackOff(),
      staysOpenWhileProbed(),
    ])
      expect(check.judge(trace).verdict, check.id).to.equal('pass');
    expect(said(rtoDoubles('client.window-probe'), trace)).to.match(/stays at 10\d\.\d+ s to 120\.001 s$/);
  });
});

describe('the user timeout', () => {
  it('ends what waits for it: data, and a connection on which nothing is heard', () => {
    expect(said(userTimeoutKept(), long.userTimeoutOfData())).to.match(
      /^pass: data unacknowledged for 30\.\d+ s, then receive failed with ETIMEDOUT: the user timeout is 30\.000 s$/,
    );
    expect(said(userTimeoutKept(), long.userTimeoutOfKeepAlive())).to.match(
      /^pass: nothing heard for 90\.\d+ s, then receive failed with ETIMEDOUT/,
    );
  });

  it('informs where it ends a connection whose probes were answered', () => {
    expect(said(userTimeoutKept(), long.userTimeoutOfWindow())).to.match(
      /^info: the window shut for 30\.\d+ s, .*though the other side answered its probes \(MUST-37\)$/,
    );
  });

  it('counts from when the window was shut, and not from the first octet that probes it', () => {
    expect(said(userTimeoutKept(), long.userTimeoutOfWindowProbedByData())).to.match(
      /^info: the window shut for 30\.\d+ s, .*though the other side answered its probes \(MUST-37\)$/,
    );
  });

  it('must not be forgotten', () => {
    const trace = withOption(long.dataLost(), 'TCP_USER_TIMEOUT', 30_000);
    expect(said(userTimeoutKept(), trace)).to.match(/^fail: data unacknowledged for .*, long over$/);
  });

  for (const story of [
    long.userTimeoutOfData,
    long.userTimeoutOfWindow,
    long.userTimeoutOfWindowProbedByData,
    long.userTimeoutOfKeepAlive,
  ])
    it(`is red where it comes too soon: ${story.name}`, () => {
      const trace = story();
      expect(userTimeoutKept().judge(userTimeoutKept().mutate(trace)).verdict).to.equal('fail');
    });

  it('is red where the other side is told another one, whether it was told or not', () => {
    const told = (trace: Trace): Trace => ({
      ...trace,
      events: trace.events.map((event) =>
        event.kind === 'segment' && event.segment !== undefined
          ? {
              ...event,
              segment: {
                ...event.segment,
                options: [{ kind: 'userTimeout', granularity: 'seconds', timeout: 30 }],
              },
            }
          : event,
      ),
    });
    for (const trace of [long.userTimeoutOfData(), told(long.userTimeoutOfData())])
      expect(userTimeoutAdvertised().judge(userTimeoutAdvertised().mutate(trace)).verdict).to.equal('fail');
    expect(userTimeoutAdvertised().judge(told(long.userTimeoutOfData())).verdict).to.equal('pass');
  });

  it('need not be told to the other side', () => {
    expect(userTimeoutAdvertised().judge(long.userTimeoutOfData()).verdict).to.equal('info');
  });
});

describe('times of a trace', () => {
  const at = (ms: number, lab: string): Trace => {
    const trace = closed();
    const entered = trace.events.find((event) => event.kind === 'transition' && event.to === 'TIME-WAIT');
    const events = trace.events.map((event) =>
      event.kind === 'transition' && event.from === 'TIME-WAIT'
        ? { ...event, atNs: (entered?.atNs ?? 0) + ms * 1e6 }
        : event,
    );
    return { ...trace, lab, events };
  };

  it('are exact to the tick in virtual time, where real time knows them to a wake-up', () => {
    expect(timeWaitLasts().judge(at(59_990, 'netns')).verdict).to.equal('pass');
    expect(timeWaitLasts().judge(at(59_990, 'virtual')).verdict).to.equal('fail');
    expect(timeWaitLasts().judge(at(60_000, 'virtual')).verdict).to.equal('pass');
  });

  it('may be the same for a RST and what it ends: it met the state before', () => {
    const trace = traceWith(
      { lab: 'virtual' },
      'client SYN',
      'server SYN-RECEIVED',
      'server SYN,ACK',
      'client ACK',
      'server ESTABLISHED',
      '@10 client RST peer',
      '@10.05 server CLOSED',
      '@400 mark end',
    );
    const check = resetEnds('server', 'ESTABLISHED');
    expect(check.judge(trace).verdict).to.equal('pass');
    expect(check.judge(check.mutate(trace)).verdict).to.equal('fail');
  });

  it('may be the same for two segments: the wire tells which came first', () => {
    const trace = traceWith(
      { lab: 'virtual' },
      'client SYN',
      'server SYN-RECEIVED',
      'server SYN,ACK',
      '@1 client ACK, dropped by f1',
      '@1 client PSH,ACK "ping"',
      '@2 server ESTABLISHED',
    );
    expect(lostHandshakeAckRepaired().judge(trace).verdict).to.equal('pass');
  });

  it('of days are kept to the nanosecond when stored', () => {
    const trace = long.idleForADay();
    const stored = traceFromJson(traceToJson(trace), { file: 'day.trace.json' });
    expect(stored.events.map(({ atNs }) => atNs)).to.deep.equal(trace.events.map(({ atNs }) => atNs));
    expect(stored.events.at(-1)?.atNs).to.be.above(86_400e9);
  });
});
