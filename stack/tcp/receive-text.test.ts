/** What is received: acknowledging (3.8.6.3), the window (3.8.6.2.2), what came early, SACK (RFC 2018, 2883), urgent data (3.8.5), ECN. */
import { expect } from 'chai';
import { option, type Segment, seqNumber } from '../../harness/segment/index.js';
import {
  expectSent,
  IRS,
  inEstablished,
  kindsOf,
  type Machine,
  type Reaction,
  type Setup,
} from './machine.fixture.js';

const SACK = [{ kind: 'sackPermitted' }] as const;
const text = (octets: number): Uint8Array => new Uint8Array(octets).fill(0x62);
const at = (n: number): number => IRS + 1 + n;

/** The blocks that the last segment told, from the first octet of data. */
const blocks = ({ segments }: Pick<Reaction, 'segments'>): readonly (readonly [number, number])[] => {
  const last: Segment | undefined = segments.at(-1);
  const told = last === undefined ? undefined : option(last, 'sack');
  return (told?.blocks ?? []).map(({ left, right }) => [
    (left - seqNumber(IRS + 1)) | 0,
    (right - seqNumber(IRS + 1)) | 0,
  ]);
};
const sacking = (setup: Setup = {}): Machine =>
  inEstablished({ ...setup, settings: { sack: true, ...setup.settings }, options: SACK });

describe('Delayed ACKs (3.8.6.3)', () => {
  const delaying = (settings = {}): Machine => inEstablished({ settings: { ackDelayMs: 100, ...settings } });

  it('wait for less than half a second (SHLD-18, MUST-40, R5681-16)', () => {
    const machine = delaying();
    expectSent(machine.recv({ payload: text(1000) }));
    expectSent(machine.wait(99));
    expectSent(machine.wait(1), { ack: at(1000), flags: 'ACK' });
  });

  it('one for each second full segment at least (SHLD-19, MUST-58)', () => {
    const machine = delaying();
    const sent = Array.from({ length: 10 }, () => machine.recv({ payload: text(1460) }).segments.length);
    expect(sent).to.deep.equal([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  });

  it('travel with data', () => {
    const machine = delaying();
    machine.recv({ payload: text(10) });
    expectSent(machine.send('answer'), { ack: at(10), length: 6 });
    expectSent(machine.wait(500));
  });

  it('of a FIN too', () => {
    const machine = delaying();
    expectSent(machine.recv({ flags: 'FIN,ACK' }));
    expectSent(machine.close(), { flags: 'FIN,ACK', ack: at(1) });
  });

  it('what comes out of order, fills a gap, or came before is acknowledged at once (R5681-10, R5681-11)', () => {
    const machine = delaying();
    expectSent(machine.recv({ seq: at(10), payload: text(10) }), { ack: at(0) });
    expectSent(machine.recv({ seq: at(30), payload: text(10) }), { ack: at(0) });
    expectSent(machine.recv({ payload: text(10) }), { ack: at(20) });
    expectSent(machine.recv({ seq: at(0), payload: text(10) }), { ack: at(20) });
  });

  it('one cumulative ACK for a gap that is filled, none of its parts (MUST-59)', () => {
    const machine = delaying();
    for (let i = 1; i < 10; i += 1) machine.recv({ seq: at(i * 10), payload: text(10) });
    expectSent(machine.recv({ payload: text(10) }), { ack: at(100) });
  });
});

describe('What came before its turn', () => {
  it('is put in order, however it overlaps', () => {
    const machine = inEstablished();
    machine.recv({ seq: at(6), payload: 'ghi' });
    machine.recv({ seq: at(2), payload: 'cd' });
    machine.recv({ seq: at(3), payload: 'defg' });
    machine.recv({ seq: at(0), payload: 'abc' });
    expect(machine.receive()).to.equal('abcdefghi');
  });

  it('is kept in no more pieces than a limit', () => {
    const machine = inEstablished();
    for (let i = 0; i < 1000; i += 1) machine.recv({ seq: at(10 + 2 * i), payload: 'x' });
    expect(machine.block.early.length).to.be.at.most(64);
    machine.recv({ payload: text(3000) });
    expect(machine.receive().length).to.equal(3000);
  });

  it('is not taken beyond the window', () => {
    const machine = inEstablished({ settings: { receiveBufferOctets: 100 } });
    machine.recv({ seq: at(90), payload: text(50) });
    machine.recv({ payload: text(90) });
    expect(machine.receive().length).to.equal(100);
  });
});

describe('The receive window (3.8.6.2.2)', () => {
  it('shrinks by what is not read, and its edge never moves back (SHLD-14)', () => {
    const machine = inEstablished({ settings: { receiveBufferOctets: 5000 } });
    let edge = machine.block.rcvEdge;
    for (let i = 0; i < 5; i += 1) {
      const [ack] = machine.recv({ payload: text(1000) }).segments;
      expect(ack?.window).to.equal(5000 - 1000 * (i + 1));
      expect((machine.block.rcvEdge - edge) | 0).to.be.at.least(0);
      edge = machine.block.rcvEdge;
    }
  });

  it('does not move back when the buffer is made smaller', () => {
    const machine = inEstablished({ settings: { receiveBufferOctets: 50_000 } });
    machine.recv();
    const { rcvEdge } = machine.block;
    machine.set({ receiveBufferOctets: 1000 });
    machine.recv({ payload: text(500) });
    expect(machine.block.rcvEdge).to.equal(rcvEdge);
  });

  it('opens by a segment, or half of the buffer, not by less (MUST-39)', () => {
    const machine = inEstablished({ settings: { receiveBufferOctets: 10_000 } });
    machine.recv({ payload: text(10_000) });
    const told: number[] = [];
    for (let i = 0; i < 3000; i += 1) {
      const reaction = machine.on({ kind: 'receive', most: 1 });
      for (const { window } of reaction.segments) told.push(window);
    }
    expect(told).to.deep.equal([1460, 2920]);
  });

  it('may stay shut for ever (MAY-8)', () => {
    const machine = inEstablished({ settings: { receiveBufferOctets: 100 } });
    machine.recv({ payload: text(100) });
    for (let i = 0; i < 50; i += 1) expectSent(machine.recv({ payload: 'x' }), { window: 0 });
  });

  it('is scaled where both SYNs said so, and not on a SYN (R7323-01, R7323-02)', () => {
    const scaled: Setup = {
      settings: { windowScale: true, receiveBufferOctets: 1 << 20 },
      options: [{ kind: 'windowScale', shift: 0 }],
    };
    const machine = inEstablished(scaled);
    const [ack] = machine.recv({ payload: 'x' }).segments;
    expect((ack?.window ?? 0) * 32).to.be.closeTo(1 << 20, 64);
    const without = inEstablished({ ...scaled, options: [] });
    expect(without.recv({ payload: 'x' }).segments[0]?.window).to.equal(65_535);
  });

  it('a shift above 14 is 14 (R7323-03)', () => {
    const options = [{ kind: 'windowScale', shift: 15 }] as const;
    expect(inEstablished({ settings: { windowScale: true }, options }).block.sndWndShift).to.equal(14);
  });
});

describe('SACK, told (RFC 2018)', () => {
  it('only where the SYN of the other side permitted it (R2018-02)', () => {
    const machine = inEstablished({ settings: { sack: true } });
    expect(blocks(machine.recv({ seq: at(10), payload: text(10) }))).to.deep.equal([]);
  });

  it('on each ACK while something is missing, the newest first, then those told before (R2018-03, R2018-04, R2018-06)', () => {
    const machine = sacking();
    expect(blocks(machine.recv({ seq: at(10), payload: text(10) }))).to.deep.equal([[10, 20]]);
    expect(blocks(machine.recv({ seq: at(30), payload: text(10) }))).to.deep.equal([
      [30, 40],
      [10, 20],
    ]);
    expect(blocks(machine.recv({ seq: at(20), payload: text(5) }))).to.deep.equal([
      [10, 25],
      [30, 40],
    ]);
    expect(blocks(machine.recv({ payload: text(10) }))).to.deep.equal([[30, 40]]);
    expect(blocks(machine.recv({ payload: text(5) }))).to.deep.equal([]);
  });

  it('as many as fit: four, three with timestamps (R2018-05)', () => {
    const timestamps = { kind: 'timestamps', tsVal: 1000, tsEcr: 0 } as const;
    for (const [machine, most] of [
      [sacking(), 4],
      [inEstablished({ settings: { sack: true, timestamps: true }, options: [...SACK, timestamps] }), 3],
    ] as const) {
      for (let i = 1; i < 6; i += 1) machine.recv({ seq: at(i * 20), payload: text(10) });
      expect(blocks(machine.recv({ seq: at(200), payload: 'x' })).length).to.equal(most);
    }
  });

  it('what came twice is the first block, once (RFC 2883)', () => {
    const machine = sacking();
    machine.recv({ payload: text(20) });
    expect(blocks(machine.recv({ seq: at(0), payload: text(10) }))).to.deep.equal([[0, 10]]);
    expect(blocks(machine.recv({ seq: at(40), payload: text(10) }))).to.deep.equal([[40, 50]]);
  });

  it('what came twice beyond a gap, and then the block that it is in (RFC 2883 section 4)', () => {
    const machine = sacking();
    machine.recv({ seq: at(10), payload: text(20) });
    expect(blocks(machine.recv({ seq: at(15), payload: text(5) }))).to.deep.equal([
      [15, 20],
      [10, 30],
    ]);
  });

  it('the part that came twice (RFC 2883 section 4.1)', () => {
    const machine = sacking();
    machine.recv({ payload: text(20) });
    expect(blocks(machine.recv({ seq: at(10), payload: text(20) }))).to.deep.equal([[10, 20]]);
  });
});

describe('Urgent data (3.8.5)', () => {
  it('of any length is told of before it comes, and how much is left (MUST-31 to MUST-33)', () => {
    const machine = inEstablished();
    expect(kindsOf(machine.recv({ flags: 'URG,ACK', urgentPointer: 0xffff, payload: text(100) }))).to.include(
      'urgent',
    );
    expect((machine.block.rcvUp - machine.block.rcvNxt) | 0).to.equal(0xffff - 100);
  });

  it('the program is told again when the pointer moves, and not when it does not', () => {
    const machine = inEstablished();
    machine.recv({ flags: 'URG,ACK', urgentPointer: 10, payload: text(1) });
    expect(kindsOf(machine.recv({ flags: 'URG,ACK', urgentPointer: 9, payload: text(1) }))).to.not.include(
      'urgent',
    );
    expect(kindsOf(machine.recv({ flags: 'URG,ACK', urgentPointer: 9, payload: text(1) }))).to.include(
      'urgent',
    );
  });

  it('is over when the octet before the pointer was received (MUST-62)', () => {
    const machine = inEstablished();
    machine.recv({ flags: 'URG,ACK', urgentPointer: 3, payload: 'abcd' });
    machine.receive(2);
    expect(machine.block.isUrgentReceived).to.equal(true);
    machine.receive(1);
    expect(machine.block.isUrgentReceived).to.equal(false);
  });
});

describe('Marks of congestion, echoed (RFC 3168 section 6.1.3)', () => {
  const ecn = (): Machine => {
    const machine = inEstablished({ settings: { ecn: 'ask' } });
    machine.block = { ...machine.block, hasEcn: true };
    return machine;
  };
  const CE = { trafficClass: 0b11 };

  it('on each ACK until CWR comes', () => {
    const machine = ecn();
    expectSent(machine.recv({ payload: 'a', ip: CE }), { flags: 'ECE,ACK' });
    expectSent(machine.recv({ payload: 'b' }), { flags: 'ECE,ACK' });
    expectSent(machine.recv({ payload: 'c', flags: 'CWR,ACK' }), { flags: 'ACK' });
  });

  it('anew when the segment with CWR is marked itself', () => {
    const machine = ecn();
    machine.recv({ payload: 'a', ip: CE });
    expectSent(machine.recv({ payload: 'b', flags: 'CWR,ACK', ip: CE }), { flags: 'ECE,ACK' });
  });

  it('not where ECN was not agreed on', () => {
    expectSent(inEstablished().recv({ payload: 'a', ip: CE }), { flags: 'ACK' });
  });
});
