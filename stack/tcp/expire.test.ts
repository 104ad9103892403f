/** Timeouts of RFC 9293 section 3.10.8 with R1 and R2 (3.8.3), zero-window probing (3.8.6.1), keep-alives (3.8.4), and RFC 6298. */
import { expect } from 'chai';
import {
  errorOf,
  expectSent,
  IRS,
  ISS,
  inCloseWait,
  inEstablished,
  inFinWait1,
  inFinWait2,
  inLastAck,
  inSynReceived,
  inSynReceivedByActiveOpen,
  inSynSent,
  inTimeWait,
  kindsOf,
  type Machine,
  PEER_MSS,
  STATES,
} from './machine.fixture.js';
import { currentRtoNs } from './round-trip.js';

const TIMESTAMPS = [{ kind: 'timestamps', tsVal: 1000, tsEcr: 0 }] as const;
const SACK = [{ kind: 'sackPermitted' }] as const;
const rtoMs = ({ block }: Machine) => currentRtoNs(block) / 1e6;

/** How long after one another the next repeats leave. */
function gaps(machine: Machine, count: number): readonly number[] {
  const found: number[] = [];
  for (let since = 0; found.length < count; ) {
    const reaction = machine.waitForTimer();
    since += reaction.afterMs;
    if (reaction.segments.length === 0) continue;
    found.push(since);
    since = 0;
  }
  return found;
}

describe('The retransmission time-out (3.10.8, RFC 6298)', () => {
  it('is 1 s before anything was measured (R6298-01, R1122-01, R1122-02)', () => {
    expectSent(inSynSent().wait(999));
    expectSent(inSynSent().wait(1000), { seq: ISS, flags: 'SYN' });
  });

  const firsts: readonly (readonly [string, () => Machine, object])[] = [
    ['the SYN', inSynSent, { seq: ISS, flags: 'SYN' }],
    ['the SYN,ACK', inSynReceived, { seq: ISS, ack: IRS + 1, flags: 'SYN,ACK' }],
    ['data', () => sending(10), { seq: ISS + 1, flags: 'PSH,ACK', length: 10 }],
    ['the FIN of FIN-WAIT-1', inFinWait1, { seq: ISS + 1, flags: 'FIN,ACK' }],
    ['the FIN of LAST-ACK', inLastAck, { seq: ISS + 1, flags: 'FIN,ACK' }],
  ];
  for (const [name, make, expected] of firsts) {
    it(`sends ${name} again, and doubles (NOID-44, NOID-48, R6298-07, R6298-14, R6298-15, R6298-16, MUST-19, R1122-03)`, () => {
      const machine = make();
      expectSent(machine.wait(1000), expected);
      expect(gaps(machine, 6)).to.deep.equal([2000, 4000, 8000, 16_000, 32_000, 60_000]);
    });
  }

  function sending(octets: number, setup = {}): Machine {
    const machine = inEstablished(setup);
    machine.send(octets);
    return machine;
  }

  it('is SRTT + max(G, 4*RTTVAR), and 1 s at least (R6298-02, R6298-03, R6298-04, R6298-06)', () => {
    const machine = inSynSent();
    machine.wait(600);
    machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK' });
    expect(rtoMs(machine)).to.equal(600 + 4 * 300);
    machine.send(1);
    machine.wait(200);
    machine.recv();
    const rttvar = 0.75 * 300 + 0.25 * 400;
    expect(rtoMs(machine)).to.be.closeTo(0.875 * 600 + 0.125 * 200 + 4 * rttvar, 0.001);
    for (let i = 0; i < 100; i += 1) {
      machine.send(1);
      machine.wait(1);
      machine.recv();
    }
    expect(rtoMs(machine)).to.equal(1000);
  });

  it('takes the granularity of the clock where nothing varies (R6298-05)', () => {
    const machine = inEstablished({ settings: { rtoMinMs: 0 } });
    for (let i = 0; i < 200; i += 1) {
      machine.send(1);
      machine.wait(40);
      machine.recv();
    }
    expect(rtoMs(machine)).to.be.closeTo(41, 0.2);
  });

  it('is not measured by what was sent twice (Karn; R6298-08, MUST-18)', () => {
    const machine = sending(1);
    const { srttNs } = machine.block.rtt;
    machine.wait(1500);
    machine.recv();
    expect(machine.block.rtt.srttNs).to.equal(srttNs);
    expect(rtoMs(machine), 'nor is the doubling forgotten').to.equal(2000);
    machine.send(1);
    machine.wait(10);
    machine.recv();
    expect(rtoMs(machine)).to.equal(1000);
  });

  it('is not measured by an ACK that covers something sent twice (R6298-08)', () => {
    const machine = sending(3000, { settings: { noDelay: true } });
    const { srttNs } = machine.block.rtt;
    machine.wait(1000);
    machine.wait(3000);
    machine.recv({ ack: machine.block.sndNxt });
    expect(machine.block.rtt.srttNs).to.equal(srttNs);
  });

  it('is measured at least once in a round trip, so that it follows the path (R6298-09)', () => {
    const machine = inEstablished({ settings: { rtoMinMs: 0 } });
    for (const rttMs of [10, 500])
      for (let i = 0; i < 60; i += 1) {
        machine.send(1);
        machine.wait(rttMs);
        machine.recv();
        if (i === 59) expect(machine.block.rtt.srttNs / 1e6).to.be.closeTo(rttMs, rttMs / 20);
      }
  });

  it('is measured by what left after that: it has waited for nothing', () => {
    const machine = sending(1, { settings: { noDelay: true } });
    machine.wait(1000);
    machine.send(1);
    machine.wait(30);
    machine.recv();
    expect(machine.block.rtt.srttNs).to.be.closeTo(30e6 / 8, 1e6);
  });

  it('is measured by timestamps even then (RFC 7323 section 4)', () => {
    const machine = sending(1, { settings: { timestamps: true, rtoMinMs: 0 }, options: TIMESTAMPS });
    machine.wait(1500);
    const tsEcr = Math.floor(machine.nowNs / 1e6) - 500;
    machine.recv({ options: [{ kind: 'timestamps', tsVal: 2000, tsEcr }] });
    expect(rtoMs(machine)).to.be.closeTo(500 / 8 + 500, 0.001);
  });

  it('runs from when the timer was off, stops when all is acknowledged (R6298-11, R6298-12)', () => {
    const machine = inEstablished();
    machine.wait(5000);
    machine.send(1);
    expectSent(machine.wait(999));
    machine.recv();
    expectSent(machine.wait(100_000));
  });

  it('begins anew with each ACK of new data (R6298-13, R6298-10)', () => {
    const machine = sending(2000);
    machine.wait(900);
    machine.recv({ ack: ISS + 1 + PEER_MSS });
    expectSent(machine.wait(rtoMs(machine) - 0.01));
    expectSent(machine.wait(0.02), { seq: ISS + 1 + PEER_MSS });
  });

  it('is 3 s for data when the SYN was sent twice, on either side (R6298-17)', () => {
    for (const settings of [{}, { timestamps: true }]) {
      const options = 'timestamps' in settings ? TIMESTAMPS : [];
      const client = inSynSent({ settings });
      client.wait(1000);
      client.wait(50);
      client.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK', options });
      expect(rtoMs(client)).to.equal(3000);
      const server = inSynReceived({ settings, options });
      server.wait(1000);
      server.recv({ ack: ISS + 1 });
      expect(rtoMs(server)).to.equal(3000);
    }
  });

  it('makes the first window one segment when the SYN was sent twice (R5681-02)', () => {
    const client = inSynSent();
    client.wait(1000);
    client.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK', options: [{ kind: 'mss', mss: 1000 }] });
    expect(client.send(5000).segments.length).to.equal(1);
  });
});

describe('R1 and R2 (3.8.3)', () => {
  const named = [
    ['SYN-SENT', inSynSent],
    ['SYN-RECEIVED', inSynReceivedByActiveOpen],
    ['FIN-WAIT-1', inFinWait1],
    ['LAST-ACK', inLastAck],
  ] as const;
  for (const [state, make] of named) {
    it(`${state}: the program and IP hear of trouble at R1, three repeats (MUST-20, MUST-22, SHLD-9, SHLD-10)`, () => {
      const machine = make();
      expect(kindsOf(machine.wait(3000))).to.not.include('troubled');
      expect(kindsOf(machine.wait(4000))).to.include('troubled');
      expect(kindsOf(machine.wait(60_000))).to.not.include('troubled');
    });
  }

  it('R1 can be chosen, and turned off', () => {
    const soon = inSynSent({ settings: { troubledRetries: 1 } });
    expect(kindsOf(soon.wait(1000))).to.include('troubled');
    const never = inSynSent({ settings: { troubledRetries: 0 } });
    expect(kindsOf(never.wait(100_000))).to.not.include('troubled');
  });

  it('a SYN is repeated for three minutes at least (MUST-23)', () => {
    const machine = inSynSent();
    expect(machine.wait(180_000).state).to.equal('SYN-SENT');
    const reaction = machine.wait(100_000);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
  });

  it('data is repeated for 100 s at least (SHLD-11)', () => {
    const machine = inEstablished();
    machine.send(1);
    expect(machine.wait(100_000).state).to.equal('ESTABLISHED');
    const reaction = machine.wait(3_600_000);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
    expectSent(machine.wait(3_600_000));
  });

  it('the program chooses R2 (MUST-21)', () => {
    const machine = inEstablished({ settings: { dataRetries: 2 } });
    machine.send(1);
    expect(machine.wait(6999).state).to.equal('ESTABLISHED');
    expect(machine.wait(1).state).to.equal('CLOSED');
  });

  it('a FIN that nobody acknowledges ends too (NOID-45)', () => {
    const reaction = inLastAck().wait(3_600_000);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
  });

  it('what is acknowledged begins the count anew', () => {
    const machine = inEstablished();
    machine.send(2000);
    machine.wait(7000);
    machine.recv({ ack: ISS + 1001 });
    expect(machine.block.retries).to.equal(0);
  });
});

describe('The user timeout (3.10.8, RFC 5482)', () => {
  const settings = { userTimeoutMs: 30_000 };
  const unanswered = [
    ['SYN-SENT', () => inSynSent({ settings })],
    ['SYN-RECEIVED', () => inSynReceivedByActiveOpen({ settings })],
    ['FIN-WAIT-1', () => inFinWait1({ settings })],
    ['LAST-ACK', () => inLastAck({ settings })],
    [
      'ESTABLISHED',
      () => {
        const machine = inEstablished({ settings });
        machine.send(1);
        return machine;
      },
    ],
  ] as const;
  for (const [state, make] of unanswered)
    it(`${state}: queues are flushed, the program is told, CLOSED (NOID-49)`, () => {
      const machine = make();
      expect(machine.wait(29_999).state).to.equal(state);
      const reaction = machine.wait(1);
      expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
    });

  it('does not run where nothing waits', () => {
    for (const make of [inEstablished, inCloseWait, inFinWait2])
      expect(make({ settings }).wait(1_000_000).state).to.equal(make().state);
  });

  it('begins anew with what is acknowledged', () => {
    const machine = inEstablished({ settings });
    machine.send(2000);
    machine.wait(20_000);
    machine.recv({ ack: ISS + 1001 });
    expect(machine.wait(29_999).state).to.equal('ESTABLISHED');
    expect(machine.wait(1).state).to.equal('CLOSED');
  });
});

describe('The 2 MSL timer (3.10.8)', () => {
  it('ends TIME-WAIT (NOID-50, MUST-13)', () => {
    const machine = inTimeWait({ settings: { mslMs: 120_000 } });
    expect(machine.wait(239_999).state).to.equal('TIME-WAIT');
    const reaction = machine.wait(1);
    expectSent(reaction);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', undefined]);
  });

  it('is the only timer of TIME-WAIT', () => {
    const machine = inTimeWait({ settings: { keepAlive: true, pathMtuDiscovery: 'probe' } });
    const running = Object.entries(machine.block.timers).filter(([, at]) => at !== Number.POSITIVE_INFINITY);
    expect(running.map(([name]) => name)).to.deep.equal(['linger']);
  });
});

describe('Zero-window probes (3.8.6.1)', () => {
  function shutOut(setup = {}): Machine {
    const machine = inEstablished({ window: 0, ...setup });
    machine.send(5000);
    return machine;
  }

  it('begin after one RTO, and come ever later (MUST-36, SHLD-29, SHLD-30)', () => {
    const machine = shutOut();
    const reaction = machine.waitForTimer();
    expect(reaction.afterMs).to.equal(1000);
    expectSent(reaction, { seq: ISS + 1, length: 1, flags: 'ACK' });
    expect(gaps(machine, 7)).to.deep.equal([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
  });

  it('go on as long as they are answered (MUST-37, SHLD-17, R1122-04)', () => {
    const machine = shutOut();
    for (let i = 0; i < 100; i += 1) {
      machine.waitForTimer();
      machine.recv({ ack: machine.block.sndUna, window: 0 });
    }
    expect(machine.state).to.equal('ESTABLISHED');
  });

  it('go on beyond the user timeout that the other side has told (MUST-37)', () => {
    const machine = shutOut();
    machine.recv({ window: 0, options: [{ kind: 'userTimeout', granularity: 'seconds', timeout: 100 }] });
    for (let i = 0; i < 20; i += 1) {
      machine.waitForTimer();
      machine.recv({ ack: machine.block.sndUna, window: 0 });
    }
    expect(machine.state).to.equal('ESTABLISHED');
  });

  it('end the connection when nothing answers them', () => {
    const reaction = shutOut().wait(3_600_000);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
  });

  it('are not taken for congestion', () => {
    const machine = shutOut();
    const { cwnd } = machine.block.congestion;
    machine.wait(100_000);
    expect(machine.block.congestion.cwnd).to.equal(cwnd);
  });

  it('are followed by all the rest when the window opens', () => {
    const machine = shutOut();
    machine.wait(5000);
    const { segments } = machine.recv({ ack: ISS + 1, window: 10_000 });
    expect(segments.map(({ seq }) => seq)).to.include(ISS + 1);
    expect(segments.reduce((sum, { payload }) => sum + payload.length, 0)).to.equal(5000);
  });

  it('a window shrunk to nothing is probed like one that was never open (MUST-34, MUST-35)', () => {
    const machine = inEstablished();
    machine.send(5000);
    machine.recv({ ack: ISS + 1, window: 0 });
    expectSent(machine.wait(1000), { seq: ISS + 1 });
    for (let i = 0; i < 100; i += 1) {
      machine.waitForTimer();
      machine.recv({ ack: ISS + 1, window: 0 });
    }
    expect(machine.state).to.equal('ESTABLISHED');
  });

  it('what was under way when the window shut goes again at once when it opens', () => {
    const machine = inEstablished();
    machine.send(5000);
    machine.recv({ ack: ISS + 1, window: 0 });
    machine.wait(40_000);
    const { segments } = machine.recv({ ack: ISS + 1, window: 10_000 });
    expect(segments.map(({ seq }) => seq)).to.deep.equal(
      [1, 1001, 2001, 3001, 4001].map((at) => (ISS + at) % 2 ** 32),
    );
  });

  it('a FIN probes too', () => {
    const machine = inEstablished({ window: 0 });
    expectSent(machine.close());
    expect(machine.state).to.equal('FIN-WAIT-1');
    expectSent(machine.wait(1000), { seq: ISS + 1, flags: 'FIN,ACK' });
    expect(machine.state).to.equal('FIN-WAIT-1');
  });

  it('an ACK sent meanwhile has a number that the other side accepts', () => {
    const machine = shutOut();
    machine.wait(1000);
    expectSent(machine.recv({ ack: ISS + 1, window: 0, payload: 'x' }), { seq: ISS + 1, flags: 'ACK' });
  });

  it('are not marked ECN-capable (RFC 3168 section 6.1.6)', () => {
    const machine = inEstablished({ settings: { ecn: 'ask' } });
    machine.block = { ...machine.block, hasEcn: true };
    machine.recv({ window: 0 });
    machine.send(10);
    expectSent(machine.wait(1000), { length: 1, ecn: 0 });
  });
});

describe('Keep-alives (3.8.4, MAY-5)', () => {
  const keepAlive = { settings: { keepAlive: true } };

  it('are off unless the program asks (MUST-25)', () => {
    expectSent(inEstablished().wait(100_000_000));
  });

  it('<SEQ=SND.NXT-1> without data, after two hours of silence (MUST-26, MUST-28, SHLD-12)', () => {
    for (const make of [inEstablished, inCloseWait, inFinWait2]) {
      const machine = make(keepAlive);
      expectSent(machine.wait(7_199_999));
      expectSent(machine.wait(1), { seq: machine.block.sndNxt - 1, flags: 'ACK', length: 0 });
    }
  });

  it('wait for two hours after anything that came (MUST-26)', () => {
    const machine = inEstablished(keepAlive);
    machine.wait(7_000_000);
    machine.recv();
    expectSent(machine.wait(7_199_999));
  });

  it('wait while data is unacknowledged (MUST-26)', () => {
    const machine = inEstablished({ settings: { keepAlive: true, keepAliveIdleMs: 500 } });
    machine.send(1);
    expectSent(machine.wait(999));
  });

  it('one that is not answered ends nothing (MUST-29); the last of nine does', () => {
    const machine = inEstablished(keepAlive);
    machine.wait(7_200_000);
    expect(machine.wait(8 * 75_000).state).to.equal('ESTABLISHED');
    const reaction = machine.wait(75_000);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
  });

  it('go on as long as they are answered', () => {
    const machine = inEstablished(keepAlive);
    for (let i = 0; i < 30; i += 1) {
      machine.wait(7_200_000);
      machine.recv();
    }
    expect(machine.state).to.equal('ESTABLISHED');
  });

  it('the interval can be chosen (MUST-27)', () => {
    const machine = inEstablished({ settings: { keepAlive: true, keepAliveIdleMs: 60_000 } });
    expectSent(machine.wait(60_000), { length: 0 });
  });
});

describe('Timers of a connection that is over', () => {
  it('do not run', () => {
    for (const [state, make] of Object.entries(STATES)) {
      const machine = make();
      machine.abort();
      expectSent(machine.wait(10_000_000));
      expect(machine.state, state).to.equal('CLOSED');
    }
  });

  it('none of the states of a connection that goes on waits for ever for what its program has left', () => {
    for (const [state, make] of Object.entries(STATES)) {
      if (state === 'LISTEN' || state === 'CLOSED') continue;
      const machine = make();
      machine.on({ kind: 'release' });
      expect(machine.wait(10_000_000).state, state).to.equal('CLOSED');
    }
  });

  it('SACK does not change that', () => {
    const machine = inFinWait1({ settings: { sack: true }, options: SACK });
    expect(machine.wait(10_000_000).state).to.equal('CLOSED');
  });
});
