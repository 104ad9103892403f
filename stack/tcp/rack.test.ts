/** RACK-TLP, RFC 8985. */
import { expect } from 'chai';
import { seqNumber } from '../../harness/segment/index.js';
import { expectSent, ISS, inEstablished, type Machine, PEER_MSS, type Setup } from './machine.fixture.js';

const SACK = [{ kind: 'sackPermitted' }] as const;
const RTT_MS = 100;
const at = (segment: number): number => ISS + 1 + segment * PEER_MSS;

/** `count` full segments are under way on a path of 100 ms, `msApart` from one another. */
function underWay(count: number, msApart = 0, setup: Setup = {}): Machine {
  const machine = inEstablished({
    window: 64_000,
    options: SACK,
    ...setup,
    settings: { sack: true, noDelay: true, initialWindowSegments: 20, ...setup.settings },
  });
  const rtt = { ...machine.block.rtt, minNs: RTT_MS * 1e6, srttNs: RTT_MS * 1e6, rttvarNs: 0 };
  machine.block = { ...machine.block, rtt };
  for (let i = 0; i < count; i += 1) {
    machine.send(PEER_MSS);
    machine.wait(msApart);
  }
  return machine;
}

const sacked = (machine: Machine, blocks: readonly (readonly [number, number])[], ack = 0) =>
  machine.recv({
    ack: at(ack),
    options: [
      {
        kind: 'sack',
        blocks: blocks.map(([from, to]) => ({ left: seqNumber(at(from)), right: seqNumber(at(to)) })),
      },
    ],
  });
const lost = ({ block }: Machine): number => block.counts.retransmissions;

describe('RACK (RFC 8985 section 6)', () => {
  it('waits a quarter of a round trip for what may only be out of order, then sends it again', () => {
    const machine = underWay(3);
    machine.wait(RTT_MS);
    expectSent(sacked(machine, [[1, 2]]));
    expectSent(machine.wait(24));
    expectSent(machine.wait(1), { seq: at(0), length: PEER_MSS });
    expect(machine.block.recovery.kind).to.equal('fast');
  });

  it('does not wait when three segments have arrived behind it, and none was ever out of order', () => {
    const machine = underWay(5);
    machine.wait(RTT_MS);
    sacked(machine, [[1, 2]]);
    sacked(machine, [[1, 3]]);
    expectSent(sacked(machine, [[1, 4]]), { seq: at(0) });
  });

  it('sends nothing again when it comes in time, and has learnt that order varies', () => {
    const machine = underWay(3);
    machine.wait(RTT_MS);
    sacked(machine, [[1, 3]]);
    machine.wait(10);
    machine.recv({ ack: at(3) });
    expect([lost(machine), machine.block.rack.hasSeenReordering]).to.deep.equal([0, true]);
    expectSent(machine.wait(1000));
  });

  it('once it has seen reordering it waits however many have arrived', () => {
    const machine = underWay(6);
    machine.block = { ...machine.block, rack: { ...machine.block.rack, hasSeenReordering: true } };
    machine.wait(RTT_MS);
    expectSent(sacked(machine, [[1, 5]]));
    expectSent(machine.wait(25), { seq: at(0) });
  });

  it('what was sent later than what arrived is not lost', () => {
    const machine = underWay(3, 50);
    sacked(machine, [[0, 1]], 0);
    expect(lost(machine)).to.equal(0);
  });

  it('widens the window with each round trip that shows a needless repeat, and narrows it in time', () => {
    const machine = underWay(3);
    machine.wait(RTT_MS);
    sacked(machine, [[1, 3]]);
    machine.wait(25);
    machine.recv({ ack: at(3) });
    sacked(machine, [[0, 1]], 3);
    expect(machine.block.rack).to.include({ reoWndMult: 2, reoWndPersist: 16 });
    sacked(machine, [[0, 1]], 3);
    expect(machine.block.rack.reoWndMult, 'once in a round trip').to.be.within(2, 3);
  });

  it('an old ACK with an old block is no D-SACK (RFC 2883 section 4)', () => {
    const machine = underWay(5);
    machine.recv({ ack: at(4) });
    sacked(machine, [[2, 3]], 1);
    expect(machine.block.rack.reoWndMult).to.equal(1);
  });
});

describe('The tail loss probe (RFC 8985 section 7)', () => {
  it("repeats the last segment after two round trips and the other side's delay", () => {
    const machine = underWay(1);
    expectSent(machine.wait(399));
    expectSent(machine.wait(1), { seq: at(0), length: PEER_MSS });
    expect(machine.block.counts.timeouts).to.equal(0);
  });

  it('after two round trips where more than one is under way', () => {
    const machine = underWay(3);
    expectSent(machine.wait(199));
    expectSent(machine.wait(1), { seq: at(2) });
  });

  it('sends new data instead where there is some', () => {
    const machine = underWay(0, 0, { settings: { initialWindowSegments: 2 } });
    machine.send(5000);
    expectSent(machine.wait(200), { seq: at(2), length: PEER_MSS });
  });

  it('is one: then the retransmission timer runs', () => {
    const machine = underWay(3);
    machine.wait(200);
    expectSent(machine.wait(999));
    expectSent(machine.wait(1), { seq: at(0) });
    expect(machine.block.counts.timeouts).to.equal(1);
  });

  it('lets SACK show what is missing before it', () => {
    const machine = underWay(5);
    machine.wait(200 + RTT_MS);
    const { segments } = sacked(machine, [[4, 5]], 1);
    const later = machine.wait(RTT_MS).segments;
    expect([...segments, ...later].some(({ seq }) => seq === at(1) % 2 ** 32)).to.equal(true);
  });

  it('one that repaired the loss by itself reduces the window all the same, and says so (RFC 3168)', () => {
    const machine = underWay(2);
    machine.block = { ...machine.block, hasEcn: true };
    machine.wait(200);
    const { cwnd } = machine.block.congestion;
    machine.recv({ ack: at(2) });
    expect(machine.block.congestion.cwnd, 'it may have been needless').to.be.at.least(cwnd);
    machine.send(PEER_MSS);
    machine.recv({ ack: at(3) });
    expect(machine.block.congestion.cwnd).to.be.lessThan(cwnd);
    expectSent(machine.send(PEER_MSS), { flags: 'CWR,PSH,ACK' });
  });

  for (const [name, blocks] of [
    ['with D-SACK', [[1, 2]] as const],
    ['without', [] as const],
  ] as const)
    it(`one that was needless does not, when its duplicate ACK comes ${name}`, () => {
      const machine = underWay(2);
      machine.wait(200);
      machine.recv({ ack: at(2) });
      const { cwnd } = machine.block.congestion;
      if (blocks.length > 0) sacked(machine, blocks, 2);
      else machine.recv({ ack: at(2) });
      machine.send(PEER_MSS);
      machine.recv({ ack: at(3) });
      expect(machine.block.congestion.cwnd).to.be.at.least(cwnd);
      expect(machine.block.tail.isUnderway).to.equal(false);
    });

  it('is off without SACK, or by setting, and for a FIN alone', () => {
    for (const settings of [{ sack: false }, { tailLossProbe: false }]) {
      expectSent(underWay(3, 0, { settings }).wait(900));
    }
    const machine = underWay(0);
    machine.close();
    expectSent(machine.wait(900));
  });
});
