/** RFC 5681, RFC 6928, RFC 9438. */
import { expect } from 'chai';
import { ISS, inEstablished, type Machine, PEER_MSS, type Setup } from '../machine.fixture.js';
import { initialWindow } from './congestion-control.js';
import type { CongestionState } from './congestion-state.js';
import { growByCubic, noCubic } from './cubic.js';

const busy = (setup: Setup = {}): Machine => {
  const machine = inEstablished({
    window: 65_000,
    ...setup,
    settings: { congestionControl: 'newreno', initialWindowSegments: 4, ...setup.settings },
  });
  machine.send(500_000);
  return machine;
};
const segmentsOf = ({ block }: Machine) => block.congestion.cwnd / PEER_MSS;
const ackOne = (machine: Machine) => machine.recv({ ack: machine.block.sndUna + PEER_MSS });

describe('The initial window (RFC 6928)', () => {
  it('is ten segments, and 14600 octets or two segments at most (R5681-01)', () => {
    expect(initialWindow(10, 1460)).to.equal(14_600);
    expect(initialWindow(10, 536)).to.equal(5360);
    expect(initialWindow(10, 9000)).to.equal(18_000);
  });

  it('is what a new connection sends at once', () => {
    const machine = inEstablished({ window: 64_000 });
    expect(machine.send(50_000).segments.length).to.equal(10);
  });

  it('is not grown by the handshake, and ssthresh is as high as can be (R5681-03, R5681-04)', () => {
    const { congestion } = inEstablished().block;
    expect(congestion).to.include({ cwnd: 10 * PEER_MSS, ssthresh: Number.POSITIVE_INFINITY });
  });
});

describe('Slow start (RFC 5681 section 3.1)', () => {
  it('adds a segment for each that is acknowledged (R5681-05)', () => {
    const machine = busy();
    ackOne(machine);
    expect(segmentsOf(machine)).to.equal(5);
  });

  it('adds two at most for one ACK (RFC 3465)', () => {
    const machine = busy();
    machine.recv({ ack: ISS + 1 + 4 * PEER_MSS });
    expect(segmentsOf(machine)).to.equal(6);
  });

  it('adds nothing where the window was not what limited (RFC 7661, RFC 9293 section 3.8.2)', () => {
    const machine = inEstablished();
    for (let i = 0; i < 50; i += 1) {
      machine.send(PEER_MSS);
      machine.recv();
    }
    expect(segmentsOf(machine)).to.equal(10);
  });

  it('after silence of an RTO begins at the restart window again (R5681-15)', () => {
    const machine = inEstablished({ window: 64_000, settings: { initialWindowSegments: 2 } });
    machine.send(60 * PEER_MSS);
    while (machine.block.sendOctets > 0) machine.recv();
    expect(segmentsOf(machine)).to.be.greaterThan(8);
    machine.wait(2000);
    expect(machine.send(10 * PEER_MSS).segments.length).to.equal(2);
  });
});

describe('Congestion avoidance (RFC 5681 section 3.1)', () => {
  it('adds a segment for a window that is acknowledged (R5681-06)', () => {
    const machine = busy();
    machine.block = {
      ...machine.block,
      congestion: { ...machine.block.congestion, ssthresh: 4 * PEER_MSS },
    };
    for (let i = 0; i < 3; i += 1) ackOne(machine);
    expect(segmentsOf(machine)).to.equal(4);
    ackOne(machine);
    expect(segmentsOf(machine)).to.equal(5);
    for (let i = 0; i < 4; i += 1) ackOne(machine);
    expect(segmentsOf(machine)).to.equal(5);
    ackOne(machine);
    expect(segmentsOf(machine)).to.equal(6);
  });
});

describe('CUBIC (RFC 9438, MAY-18)', () => {
  const MSS = 1000;
  const state = (cwnd: number, wMax: number): CongestionState => ({
    cwnd: cwnd * MSS,
    ssthresh: cwnd * MSS,
    acknowledged: 0,
    isLimiting: true,
    cubic: { ...noCubic(), wMax, cwndPrior: wMax },
  });
  /** The window after `seconds` of full windows acknowledged each round trip of 100 ms. */
  function windowAfter(congestion: CongestionState, seconds: number): number {
    for (let ms = 0; ms <= seconds * 1000; ms += 100) {
      const acks = Math.round(congestion.cwnd / MSS);
      for (let i = 0; i < acks; i += 1)
        growByCubic(congestion, { ackedOctets: MSS, mss: MSS, srttNs: 100e6, nowNs: ms * 1e6 });
    }
    return congestion.cwnd / MSS;
  }

  it('is back at W_max after K = cbrt((W_max - cwnd)/C) (section 4.2)', () => {
    const k = Math.cbrt((1000 - 700) / 0.4);
    expect(windowAfter(state(700, 1000), k)).to.be.closeTo(1000, 10);
  });

  it('is flat about W_max, and grows beyond it (section 4.4)', () => {
    const k = Math.cbrt((1000 - 700) / 0.4);
    expect(windowAfter(state(700, 1000), k + 5)).to.be.closeTo(1000 + 0.4 * 5 ** 3, 25);
  });

  it('is no slower than Reno where windows are small (section 4.3)', () => {
    expect(windowAfter(state(7, 10), 3)).to.be.at.least(7 + 0.5 * 30 - 2);
  });

  it('falls to 0.7 of the window, with W_max where it was; less if it had not come back (sections 4.6, 4.7)', () => {
    const machine = busy({ settings: { congestionControl: 'cubic', initialWindowSegments: 10 } });
    for (let i = 0; i < 3; i += 1) machine.recv({ ack: machine.block.sndUna });
    const { ssthresh, cubic } = machine.block.congestion;
    expect([ssthresh, cubic.wMax]).to.deep.equal([7 * PEER_MSS, 10]);
    machine.recv({ ack: machine.block.recovery.point });
    ackOne(machine);
    const before = segmentsOf(machine);
    for (let i = 0; i < 3; i += 1) machine.recv({ ack: machine.block.sndUna });
    expect(machine.block.congestion.cubic.wMax).to.be.closeTo(before * 0.85, 0.01);
  });

  it('does not count the time in which the program had nothing to send (section 4.2)', () => {
    const machine = inEstablished({ window: 65_000 });
    const ssthresh = 10 * PEER_MSS;
    const rtt = { ...machine.block.rtt, srttNs: 100e6 };
    machine.block = { ...machine.block, rtt, congestion: { ...machine.block.congestion, ssthresh } };
    const round = (): void => {
      machine.send(20 * PEER_MSS);
      machine.wait(100);
      while (machine.block.sendOctets > 0) machine.recv();
    };
    round();
    const before = segmentsOf(machine);
    // A minute in which a little is sent now and then, and another of silence.
    for (let i = 0; i < 120; i += 1) {
      machine.send(10);
      machine.wait(500);
      machine.recv();
    }
    machine.wait(60_000);
    round();
    expect(segmentsOf(machine)).to.be.within(before - 1, before + 3);
  });

  it('after a time-out begins at its own plateau (section 4.8)', () => {
    const machine = busy({ settings: { congestionControl: 'cubic', initialWindowSegments: 10 } });
    machine.wait(1000);
    expect(machine.block.congestion).to.include({ cwnd: PEER_MSS, ssthresh: 7 * PEER_MSS });
    const fresh = state(7, machine.block.congestion.cubic.wMax);
    windowAfter(fresh, 0);
    expect(fresh.cubic).to.include({ k: 0, wMax: 7 });
  });
});
