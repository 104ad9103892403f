/** Loss recovery: RFC 5681 section 3, RFC 3042, RFC 6582 without SACK; RFC 6675 with it; RFC 9937's rate; RFC 2018 section 8. */
import { expect } from 'chai';
import type { SackBlock } from '../../harness/segment/index.js';
import { expectSent, ISS, inEstablished, type Machine, PEER_MSS, type Setup } from './machine.fixture.js';
import { flightOctets } from './sizes.js';

const SACK = [{ kind: 'sackPermitted' }] as const;
const at = (segment: number): number => ISS + 1 + segment * PEER_MSS;
const seqs = (segments: readonly { readonly seq: number }[]): readonly number[] =>
  segments.map(({ seq }) => ((seq - ISS - 1) | 0) / PEER_MSS);
const newReno = { congestionControl: 'newreno' } as const;

/** `count` full segments are under way, and as many more are queued as there is room for. */
function underWay(count: number, { settings, ...setup }: Setup = {}): Machine {
  const machine = inEstablished({
    window: 64_000,
    settings: { initialWindowSegments: count, ...newReno, ...settings },
    ...setup,
  });
  // The other side is 10 ms away.
  const rtt = { ...machine.block.rtt, minNs: 10e6, srttNs: 10e6 };
  machine.block = { ...machine.block, rtt };
  machine.send(60 * PEER_MSS);
  expect(flightOctets(machine.block)).to.equal(count * PEER_MSS);
  machine.wait(10);
  return machine;
}
const withSack = (count: number, setup: Setup = {}): Machine =>
  underWay(count, { ...setup, settings: { sack: true, ...setup.settings }, options: SACK });

const duplicate = (machine: Machine) => machine.recv({ ack: machine.block.sndUna });
const sacked = (machine: Machine, from: number, to: number, ack = 0) => {
  const block = {
    left: ((ISS + 1 + from * PEER_MSS) >>> 0) as SackBlock['left'],
    right: ((ISS + 1 + to * PEER_MSS) >>> 0) as SackBlock['left'],
  };
  return machine.recv({
    ack: at(ack),
    options: [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'sack', blocks: [block] }],
  });
};

describe('Fast retransmit and recovery without SACK (RFC 5681 section 3.2, RFC 6582)', () => {
  it('the first two duplicate ACKs let a new segment go each (R5681-13, RFC 3042)', () => {
    const machine = underWay(10);
    expect(seqs(duplicate(machine).segments)).to.deep.equal([10]);
    expect(seqs(duplicate(machine).segments)).to.deep.equal([11]);
  });

  it('the third sends the segment at SND.UNA again, at once (R5681-12)', () => {
    const machine = underWay(10);
    duplicate(machine);
    duplicate(machine);
    expectSent(duplicate(machine), { seq: at(0), length: PEER_MSS });
  });

  it('ssthresh is half of the flight, without what the first two let go (R5681-07, R5681-12)', () => {
    const machine = underWay(10);
    for (let i = 0; i < 3; i += 1) duplicate(machine);
    expect(machine.block.congestion.ssthresh).to.equal(5 * PEER_MSS);
    expect(machine.block.recovery.kind).to.equal('fast');
  });

  it('each further one inflates the window by a segment (R5681-14)', () => {
    const machine = underWay(10);
    const sent: (readonly number[])[] = [];
    for (let i = 0; i < 12; i += 1) sent.push(seqs(duplicate(machine).segments));
    // 12 are out; ssthresh 5, 3 inflate it: four more must come before a new one may go.
    expect(sent).to.deep.equal([[10], [11], [0], [], [], [], [], [12], [13], [14], [15], [16]]);
  });

  it('a partial ACK has the next hole sent at once, and recovery goes on (R6582-02)', () => {
    const machine = underWay(10);
    for (let i = 0; i < 8; i += 1) duplicate(machine);
    const { segments } = machine.recv({ ack: at(4) });
    expect(seqs(segments)[0]).to.equal(4);
    expect(machine.block.recovery.kind).to.equal('fast');
  });

  it('a full ACK ends it with the window at ssthresh at most, and no burst (R6582-03)', () => {
    const machine = underWay(10);
    for (let i = 0; i < 5; i += 1) duplicate(machine);
    machine.recv({ ack: machine.block.recovery.point });
    expect(machine.block.recovery.kind).to.equal('none');
    expect(machine.block.congestion.cwnd).to.be.at.most(5 * PEER_MSS);
  });

  it('begins for what is lost later, too', () => {
    const machine = underWay(10);
    for (let i = 1; i <= 4; i += 1) machine.recv({ ack: at(i) });
    for (let i = 0; i < 3; i += 1) duplicate(machine);
    expect(machine.block.recovery.kind).to.equal('fast');
    machine.recv({ ack: machine.block.recovery.point });
    machine.recv({ ack: machine.block.sndUna + PEER_MSS });
    for (let i = 0; i < 3; i += 1) duplicate(machine);
    expect(machine.block.recovery.kind).to.equal('fast');
  });

  it('begins once for a window of data (R6582-01)', () => {
    const machine = underWay(10);
    for (let i = 0; i < 3; i += 1) duplicate(machine);
    const { ssthresh } = machine.block.congestion;
    for (let i = 0; i < 7; i += 1) duplicate(machine);
    expect(machine.block.congestion.ssthresh).to.equal(ssthresh);
  });

  it('after a time-out duplicate ACKs of what was sent before begin nothing (R6582-04)', () => {
    const machine = underWay(10);
    machine.wait(1000);
    const { point } = machine.block.recovery;
    for (let i = 0; i < 5; i += 1) expectSent(duplicate(machine));
    expect(machine.block.recovery).to.include({ kind: 'timeout', point, inflation: 0 });
  });

  it('a window update, data, or an ACK with nothing under way is no duplicate (RFC 5681 section 2)', () => {
    const machine = underWay(10);
    machine.recv({ ack: at(0), window: 60_000 });
    machine.recv({ ack: at(0), window: 60_000, payload: 'x' });
    expect(machine.block.recovery.duplicateAcks).to.equal(0);
  });
});

describe('A time-out (RFC 5681 section 3.1)', () => {
  it('leaves half of the flight as ssthresh and one segment as window (R5681-07, R5681-08)', () => {
    const machine = underWay(10);
    expectSent(machine.wait(1000), { seq: at(0) });
    expect(machine.block.congestion).to.include({ ssthresh: 5 * PEER_MSS, cwnd: PEER_MSS });
  });

  it('of the same segment again leaves ssthresh alone (R5681-09)', () => {
    const machine = underWay(10);
    machine.wait(10_000);
    expect(machine.block.congestion.ssthresh).to.equal(5 * PEER_MSS);
  });

  it('is followed by slow start through what is taken for lost', () => {
    const machine = underWay(10);
    machine.wait(1000);
    expect(seqs(machine.recv({ ack: at(1) }).segments)).to.deep.equal([1, 2]);
    expect(seqs(machine.recv({ ack: at(3) }).segments)).to.deep.equal([3, 4, 5, 6]);
  });

  it('turns SACK marks off and begins at the left edge: the other side may have reneged (R2018-08)', () => {
    const machine = withSack(10, { settings: { tailLossProbe: false } });
    sacked(machine, 1, 3);
    machine.wait(900);
    const { segments } = machine.wait(10_000);
    expect(seqs(segments)[0]).to.equal(0);
    expect(machine.block.sent.at(1)?.isSacked).to.equal(false);
    expect(seqs(machine.recv({ ack: at(1) }).segments)).to.deep.equal([1, 2]);
  });

  it('what was selectively acknowledged stays until it is cumulatively (R2018-08)', () => {
    const machine = withSack(10);
    sacked(machine, 1, 10);
    expect(machine.block.sendOctets).to.equal(60 * PEER_MSS);
  });
});

describe('Recovery with SACK (RFC 6675, RFC 9937)', () => {
  it('begins with three segments delivered behind a hole, and sends the hole at once', () => {
    const machine = withSack(10);
    sacked(machine, 1, 2);
    sacked(machine, 1, 3);
    const { segments } = sacked(machine, 1, 4);
    expect(seqs(segments)[0]).to.equal(0);
    expect(machine.block.recovery.kind).to.equal('fast');
    expect(machine.block.congestion.ssthresh).to.equal(5 * PEER_MSS);
  });

  it('skips what is selectively acknowledged (R2018-07)', () => {
    const machine = withSack(10);
    sacked(machine, 1, 4);
    sacked(machine, 5, 9);
    machine.wait(20);
    const { segments } = sacked(machine, 5, 10);
    const again = seqs(machine.block.sent.count > 0 ? segments : []).filter((each) => each < 10);
    expect(again.every((each) => each === 0 || each === 4)).to.equal(true);
  });

  it('sends in proportion to what is delivered, not in a burst, and ends at ssthresh', () => {
    const machine = withSack(20);
    const sent: number[] = [];
    for (let i = 2; i <= 20; i += 1) sent.push(sacked(machine, 1, i).segments.length);
    // Two by limited transmit, the hole, then about one for two that are delivered (ssthresh is half).
    const during = sent.slice(3).reduce((sum, each) => sum + each, 0);
    expect(during).to.be.within(7, 10);
    expect(Math.max(...sent)).to.be.at.most(2);
    machine.recv({ ack: machine.block.recovery.point });
    expect(machine.block.congestion.cwnd).to.be.at.most(10 * PEER_MSS);
    expect(machine.block.recovery.kind).to.equal('none');
  });

  it('heeds no block of what was never sent, or that is turned round (RFC 2018)', () => {
    const machine = withSack(10);
    sacked(machine, 70, 80);
    sacked(machine, 5, 3);
    expect(machine.block.recovery.marked).to.equal(0);
  });

  it('a retransmission that is lost too is found by RACK, not by a time-out', () => {
    const machine = withSack(10);
    for (let i = 2; i <= 4; i += 1) sacked(machine, 1, i);
    machine.wait(10);
    for (let i = 5; i <= 10; i += 1) sacked(machine, 1, i);
    machine.wait(10);
    // Of what left behind the repeat, and not in the moment before it.
    const { segments } = sacked(machine, 1, 14);
    const later = machine.wait(20).segments;
    expect([...seqs(segments), ...seqs(later)]).to.include(0);
    expect(machine.block.counts.timeouts).to.equal(0);
  });
});

describe('ECN and losses (RFC 3168 section 6.1.2)', () => {
  const ecn = (machine: Machine): Machine => {
    machine.block = { ...machine.block, hasEcn: true };
    return machine;
  };

  it('the first new segment after any reduction carries CWR', () => {
    const machine = ecn(underWay(10));
    for (let i = 0; i < 3; i += 1) duplicate(machine);
    const { segments } = machine.recv({ ack: machine.block.recovery.point });
    expectSent({ segments: segments.slice(0, 1) }, { flags: 'CWR,ACK', ecn: 2 });
  });

  it('what is sent again is not marked ECN-capable', () => {
    const machine = ecn(underWay(10));
    expectSent(machine.wait(1000), { seq: at(0), ecn: 0 });
  });

  it('an echo halves the window once for a window of data, and nothing is sent again', () => {
    const machine = ecn(underWay(10));
    machine.recv({ ack: at(1), flags: 'ECE,ACK' });
    const { cwnd } = machine.block.congestion;
    expect(cwnd).to.be.within(4 * PEER_MSS, 5 * PEER_MSS);
    for (let i = 2; i < 8; i += 1) machine.recv({ ack: at(i), flags: 'ECE,ACK' });
    expect(machine.block.congestion.cwnd).to.equal(cwnd);
    expect(machine.block.counts.retransmissions).to.equal(0);
  });
});
