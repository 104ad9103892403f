/** What is sent, and when: MSS (3.7.1), Nagle (3.7.4), the window and silly windows (3.8.6), PUSH (3.9.1.2), retransmissions. */
import { expect } from 'chai';
import {
  expectSent,
  IRS,
  ISS,
  inEstablished,
  inEstablishedByPassiveOpen,
  inListen,
  inSynSent,
  type Machine,
  optionOf,
  PEER_MSS,
  type Setup,
} from './machine.fixture.js';

const V6 = {
  local: { ip: '2001:db8::1', port: 80 },
  remote: { ip: '2001:db8::2', port: 40_000 },
  ipVersion: 6,
} as const;
const TIMESTAMPS = { kind: 'timestamps', tsVal: 1000, tsEcr: 0 } as const;
const lengths = ({ segments }: { readonly segments: readonly { readonly payload: Uint8Array }[] }) =>
  segments.map(({ payload }) => payload.length);

describe('The maximum segment size (3.7.1)', () => {
  const largest = (setup: Setup): number =>
    Math.max(...lengths(inEstablished({ window: 64_000, ...setup }).send(30_000)));

  it('is in each SYN and SYN,ACK: what the link takes (MUST-14, SHLD-5, MAY-3, MUST-67)', () => {
    for (const [setup, mss] of [
      [{}, 1460],
      [V6, 1440],
      [{ linkMtu: 9000 }, 8960],
      [{ settings: { maxSegmentOctets: 700 } }, 700],
    ] as const) {
      const [syn] = inSynSent(setup).wait(1000).segments;
      expect(syn && optionOf(syn, 'mss')?.mss).to.equal(mss);
      const [synAck] = inListen(setup).recv({ seq: IRS, flags: 'SYN' }).segments;
      expect(synAck && optionOf(synAck, 'mss')?.mss).to.equal(mss);
    }
  });

  it('is on no segment without SYN (MUST-65)', () => {
    const machine = inEstablished();
    const segments = [
      ...machine.send(5000).segments,
      ...machine.close().segments,
      ...machine.wait(9000).segments,
    ];
    expect(segments.every((segment) => optionOf(segment, 'mss') === undefined)).to.equal(true);
  });

  for (const [setup, mss] of [
    [{}, 536],
    [V6, 1220],
  ] as const)
    it(`is ${mss} where the other side tells none (MUST-15)`, () => {
      const machine = inSynSent(setup);
      machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK' });
      expect(Math.max(...lengths(machine.send(9000)))).to.equal(mss);
    });

  it('is the smaller of what the other side tells and what the path takes (MUST-16)', () => {
    expect(largest({ mss: 900 })).to.equal(900);
    expect(largest({ mss: 9000 })).to.equal(1460);
    expect(largest({ mss: 9000, pathMtu: 1000 })).to.equal(960);
  });

  it('leaves room for options (MUST-16)', () => {
    expect(largest({ settings: { timestamps: true }, options: [TIMESTAMPS] })).to.equal(PEER_MSS - 12);
  });

  it('leaves room for SACK blocks that are to be told', () => {
    const machine = inEstablished({ settings: { sack: true }, options: [{ kind: 'sackPermitted' }] });
    machine.recv({ seq: IRS + 100, payload: 'x' });
    const [first] = machine.send(3000).segments;
    expect(first?.payload.length).to.equal(PEER_MSS - 12);
  });

  it('of nothing is no size: something is sent', () => {
    expect(largest({ mss: 0 })).to.equal(536);
    expect(largest({ mss: 1 })).to.be.within(1, 48);
  });
});

describe("Nagle's algorithm (3.7.4)", () => {
  it('holds what does not fill a segment while something is unacknowledged (SHLD-7)', () => {
    const machine = inEstablished();
    expectSent(machine.send('a'), { length: 1 });
    expectSent(machine.send('b'));
    expectSent(machine.send('c'));
    expectSent(machine.recv(), { length: 2, flags: 'PSH,ACK' });
  });

  it('lets a full segment go', () => {
    const machine = inEstablished();
    machine.send('a');
    expectSent(machine.send(PEER_MSS), { length: PEER_MSS });
  });

  it('can be turned off for a connection (MUST-17)', () => {
    const machine = inEstablished({ settings: { noDelay: true } });
    expectSent(machine.send('a'), { length: 1 });
    expectSent(machine.send('b'), { length: 1 });
  });

  it('does not hold the FIN', () => {
    const machine = inEstablished();
    machine.send('a');
    machine.send('b');
    expectSent(machine.close(), { length: 1, flags: 'FIN,PSH,ACK' });
  });
});

describe('PUSH (3.9.1.2)', () => {
  it('is on the last of what is queued, and on no other (MUST-61, SHLD-28)', () => {
    expectSent(
      inEstablished().send(2500),
      { length: 1000, flags: 'ACK' },
      { length: 1000, flags: 'ACK' },
      // Held by Nagle, and by the sender's silly window avoidance.
    );
    expectSent(
      inEstablished({ settings: { noDelay: true } }).send(1500),
      { length: 1000, flags: 'ACK' },
      { length: 500, flags: 'PSH,ACK' },
    );
  });

  it('what was given in pieces while the window was shut leaves in as large segments as can be (SHLD-27)', () => {
    const machine = inEstablished({ window: 0, settings: { noDelay: true } });
    for (let i = 0; i < 10; i += 1) machine.send(250);
    const { segments } = machine.recv({ window: 10_000 });
    expect(lengths({ segments })).to.deep.equal([1000, 1000, 500]);
  });

  it('what is sent again may be filled up, and then tells of the last octet', () => {
    const machine = inEstablished();
    machine.send('a');
    machine.send('bc');
    expectSent(machine.wait(1000), { seq: ISS + 1, length: 3, flags: 'PSH,ACK' });
    const probing = inEstablished({ window: 0 });
    probing.send('abc');
    expectSent(probing.wait(1000), { length: 1, flags: 'ACK' });
    expectSent(probing.recv({ ack: ISS + 1, window: 500 }), { length: 3, flags: 'PSH,ACK' });
  });

  it('nothing is held for ever: what more was promised for leaves after the override (MUST-60)', () => {
    const machine = inEstablished();
    expectSent(machine.send('a', { hasMore: true }));
    expectSent(machine.wait(200), { length: 1 });
    const corked = inEstablished({ settings: { cork: true } });
    expectSent(corked.send('a'));
    expectSent(corked.wait(200), { length: 1 });
  });
});

describe('The send window (3.8.6)', () => {
  it('is not exceeded', () => {
    const machine = inEstablished({ window: 2500 });
    expect(lengths(machine.send(9000))).to.deep.equal([1000, 1000]);
  });

  it('lets no silly segment go: less than a full one, and than half of the largest window (MUST-38)', () => {
    const machine = inEstablished({ window: 4000 });
    machine.send(9000);
    expectSent(machine.recv({ ack: ISS + 1, window: 4100 }));
    expectSent(machine.recv({ ack: ISS + 1001, window: 3100 }));
    expectSent(machine.recv({ ack: ISS + 1001, window: 4000 }), { length: 1000 });
  });

  it('lets half of the largest window go that there ever was (section 3.8.6.2.1, 3)', () => {
    const machine = inEstablished({ window: 600 });
    expectSent(machine.send(5000), { length: 600 });
    expectSent(machine.recv({ window: 300 }), { length: 300 });
    expectSent(machine.recv({ window: 200 }));
  });

  it('lets the rest go after the override time-out of 0.2 s (section 3.8.6.2.1, 4)', () => {
    const machine = inEstablished({ window: 600 });
    machine.send(5000);
    machine.recv({ window: 200 });
    expectSent(machine.wait(200), { length: 200 });
  });

  it('that shrinks stops new data, and what is under way is repeated as ever (MUST-34, SHLD-15, SHLD-16, SHLD-17, MAY-7, R7323-04)', () => {
    const machine = inEstablished();
    machine.send(20_000);
    const { sndNxt } = machine.block;
    expectSent(machine.recv({ ack: ISS + 1, window: 3000 }));
    expect(machine.block.sndNxt).to.equal(sndNxt);
    expectSent(machine.wait(1000), { seq: ISS + 1 });
    machine.recv({ ack: ISS + 1001, window: 2000 });
    expect(machine.block.sndNxt).to.equal(sndNxt);
    expect(machine.wait(60_000).state).to.equal('ESTABLISHED');
  });

  it('is read as 16 bits without sign, and as 32 where it is scaled (MUST-1, REC-1)', () => {
    expect(inEstablished({ window: 0xffff }).block.sndWnd).to.equal(65_535);
    const options = [{ kind: 'windowScale', shift: 14 }] as const;
    const machine = inEstablished({ settings: { windowScale: true }, options });
    machine.recv({ window: 0xffff });
    expect(machine.block.sndWnd).to.equal(65_535 * 2 ** 14);
  });
});

describe('Retransmission', () => {
  it('is cut to what a segment holds now', () => {
    const machine = inEstablished({ window: 20_000 });
    machine.send(3000);
    machine.on({ kind: 'icmp', news: { kind: 'too-big', seq: machine.block.sndUna, mtu: 600 } });
    const again = machine.wait(1).segments;
    expect(again.every(({ payload }) => payload.length <= 560)).to.equal(true);
  });

  it('carries the same octets', () => {
    const machine = inEstablished();
    machine.send('abcdef');
    const { segments } = machine.wait(1000);
    expect(new TextDecoder().decode(segments[0]?.payload)).to.equal('abcdef');
    machine.recv({ ack: ISS + 3 });
    expect(new TextDecoder().decode(machine.wait(5000).segments[0]?.payload)).to.equal('cdef');
  });

  it('acknowledges all that has come since', () => {
    const machine = inEstablished();
    machine.send('abc');
    machine.recv({ payload: 'xyz', ack: ISS + 1 });
    expectSent(machine.wait(1000), { ack: IRS + 4 });
  });
});

describe('A window of the SYN', () => {
  it('limits the first flight, unscaled (R7323-02)', () => {
    const options = [{ kind: 'windowScale', shift: 7 }] as const;
    for (const make of [inEstablished, inEstablishedByPassiveOpen]) {
      const machine: Machine = make({ settings: { windowScale: true }, options, window: 100 });
      if (make === inEstablished) expect(machine.block.sndWnd).to.equal(100);
      else expect(machine.block.sndWnd).to.equal(100 * 128);
    }
  });
});
