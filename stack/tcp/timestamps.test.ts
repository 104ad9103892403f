/** Timestamps, PAWS and window scale (RFC 7323), and TIME-WAIT's end by a new SYN (RFC 6191, RFC 9293 MAY-2). */
import { expect } from 'chai';
import { option, type Segment, type TcpOption } from '../../harness/segment/index.js';
import {
  errorOf,
  expectSent,
  IRS,
  ISS,
  inClosed,
  inEstablished,
  inEstablishedByPassiveOpen,
  inListen,
  inSynReceived,
  inTimeWait,
  kindsOf,
  type Machine,
  type Setup,
} from './machine.fixture.js';

const stamp = (tsVal: number, tsEcr = 0) => ({ kind: 'timestamps', tsVal: tsVal >>> 0, tsEcr }) as const;
const stamped: Setup = { settings: { timestamps: true }, options: [stamp(1000)] };
const echoed = (segment: Segment | undefined) => segment && option(segment, 'timestamps')?.tsEcr;

describe('Timestamps (RFC 7323 section 3)', () => {
  it('are offered on the SYN, with nothing to echo (R7323-05, R7323-11)', () => {
    const [syn] = inClosed({ settings: { timestamps: true } }).on({ kind: 'open' }).segments;
    expect(echoed(syn)).to.equal(0);
  });

  it('are on a SYN,ACK only when the SYN had them (R7323-06)', () => {
    const [without] = inListen({ settings: { timestamps: true } }).recv({ seq: IRS, flags: 'SYN' }).segments;
    expect(without?.options.some(({ kind }) => kind === 'timestamps')).to.equal(false);
    const [with1] = inListen({ settings: { timestamps: true } }).recv({
      seq: IRS,
      flags: 'SYN',
      options: [stamp(77)],
    }).segments;
    expect(echoed(with1)).to.equal(77);
  });

  it('are on every segment once agreed on (R7323-07)', () => {
    const machine = inEstablished({
      ...stamped,
      settings: { timestamps: true, keepAlive: true, keepAliveIdleMs: 1000 },
    });
    const segments = [
      ...machine.recv({ payload: 'x' }).segments,
      ...machine.wait(1000).segments,
      ...machine.send(3000).segments,
      ...machine.wait(3000).segments,
      ...machine.close().segments,
    ];
    expect(segments.length).to.be.greaterThan(5);
    for (const segment of segments) expect(echoed(segment)).to.be.a('number');
  });

  it('a segment without them is dropped silently, and ends nothing (R7323-09, R7323-10)', () => {
    const machine = inEstablished(stamped);
    const reaction = machine.recv({ payload: 'x', options: [] });
    expectSent(reaction);
    expect([reaction.state, machine.receive()]).to.deep.equal(['ESTABLISHED', '']);
  });

  it('those that come unasked are ignored', () => {
    const machine = inEstablished();
    machine.recv({ payload: 'x', options: [stamp(5)] });
    expect(machine.receive()).to.equal('x');
  });

  it('echo the segment that the last ACK waited for: when ACKs are delayed the first of two (R7323-13)', () => {
    const machine = inEstablished({ ...stamped, settings: { timestamps: true, ackDelayMs: 100 } });
    machine.recv({ payload: new Uint8Array(900), options: [stamp(2000)] });
    machine.recv({ payload: new Uint8Array(100), options: [stamp(2005)] });
    expect(echoed(machine.wait(100).segments[0])).to.equal(2000);
  });

  it('of what lies beyond a gap are not echoed; those that fill it are (R7323-13)', () => {
    const machine = inEstablished(stamped);
    machine.recv({ payload: 'a', options: [stamp(2000)] });
    expect(echoed(machine.recv({ seq: IRS + 3, payload: 'c', options: [stamp(2010)] }).segments[0])).to.equal(
      2000,
    );
    expect(echoed(machine.recv({ payload: 'b', options: [stamp(2020)] }).segments[0])).to.equal(2020);
  });

  it('of a SYN that comes again are echoed: its round trip is measured, not the wait', () => {
    const machine = inSynReceived(stamped);
    machine.wait(500);
    const [again] = machine.recv({ seq: IRS, flags: 'SYN', options: [stamp(1500)] }).segments;
    expect(echoed(again)).to.equal(1500);
  });

  it('count milliseconds', () => {
    const machine = inEstablished(stamped);
    const value = () =>
      machine.recv({ payload: 'x' }).segments.map((each) => option(each, 'timestamps')?.tsVal ?? 0)[0] ?? 0;
    const before = value();
    machine.wait(1234);
    expect(value() - before).to.equal(1234);
  });

  it('measure only by ACKs that acknowledge something new (R7323-12)', () => {
    const machine = inEstablished(stamped);
    const { srttNs } = machine.block.rtt;
    machine.wait(5000);
    machine.recv({ options: [stamp(3000, 1)] });
    expect(machine.block.rtt.srttNs).to.equal(srttNs);
  });
});

describe('PAWS (RFC 7323 section 5)', () => {
  it('an older timestamp is answered with an ACK, and the segment dropped (R7323-14)', () => {
    const machine = inEstablished(stamped);
    machine.recv({ payload: 'a', options: [stamp(2000)] });
    expectSent(machine.recv({ payload: 'b', options: [stamp(1999)] }), { flags: 'ACK', ack: IRS + 2 });
    expect(machine.receive()).to.equal('a');
  });

  it('counts modulo 2^32', () => {
    const machine = inEstablished({ ...stamped, options: [stamp(0xffff_fff0)] });
    machine.recv({ payload: 'a', options: [stamp(5)] });
    machine.recv({ payload: 'b', options: [stamp(0xffff_fff5)] });
    expect(machine.receive()).to.equal('a');
  });

  it('a timestamp of 24 days ago says nothing (R7323-16)', () => {
    const machine = inEstablished(stamped);
    machine.wait(24 * 86_400_000 + 1);
    machine.recv({ payload: 'a', options: [stamp(1)] });
    expect(machine.receive()).to.equal('a');
  });
});

describe('A new SYN in TIME-WAIT (RFC 6191, MAY-2, SHLD-4)', () => {
  const OLD = 1000;
  const within = (hasStamps: boolean, settings: Setup['settings'] = {}): Machine => {
    const machine = inTimeWait({
      settings: { timestamps: hasStamps, ...settings },
      options: hasStamps ? [stamp(OLD)] : [],
    });
    machine.wait(10);
    return machine;
  };
  const cases: readonly (readonly [string, boolean, readonly TcpOption[], number, boolean])[] = [
    ['both with timestamps, the newer one (R6191-01)', true, [stamp(OLD + 1)], -1000, true],
    ['both with timestamps, the same, a higher number (R6191-02)', true, [stamp(OLD)], 0, true],
    ['both with timestamps, the same, a lower number (R6191-04)', true, [stamp(OLD)], -1000, false],
    ['both with timestamps, an older one (R6191-04)', true, [stamp(OLD - 1)], 1000, false],
    ['only the old with timestamps, a higher number (R6191-03)', true, [], 1000, true],
    ['only the old with timestamps, a lower number (R6191-04)', true, [], -1000, false],
    ['only the new with timestamps (R6191-05)', false, [stamp(1)], -1000, true],
    ['neither, a higher number (R6191-06)', false, [], 0, true],
    ['neither, a lower number (R6191-07)', false, [], -1000, false],
  ];
  for (const [name, hasStamps, options, offset, opens] of cases)
    it(`${name}: ${opens ? 'makes room' : 'is challenged, and TIME-WAIT goes on'}`, () => {
      const timestamps = hasStamps || options.length > 0;
      const machine = within(hasStamps, { timestamps });
      const reaction = machine.recv({ flags: 'SYN', seq: machine.block.rcvNxt + offset, options });
      expect(kindsOf(reaction).includes('reincarnation')).to.equal(opens);
      expect(reaction.state).to.equal(opens ? 'CLOSED' : 'TIME-WAIT');
      // One that lacks the timestamps that were agreed on is dropped before it is looked at (RFC 7323 section 3.2).
      if (!opens) expectSent(reaction, ...(hasStamps && options.length === 0 ? [] : [{ flags: 'ACK' }]));
    });

  it('tells which numbers the new connection must begin above (MAY-2)', () => {
    const machine = within(false);
    const reaction = machine.recv({ flags: 'SYN', seq: machine.block.rcvNxt });
    const notice = reaction.notices.find(({ kind }) => kind === 'reincarnation');
    expect(notice).to.deep.equal({ kind: 'reincarnation', sndNxt: machine.block.sndNxt });
  });

  it('is challenged where the setting says so', () => {
    const machine = within(false, { timeWaitReuse: false });
    expectSent(machine.recv({ flags: 'SYN', seq: machine.block.rcvNxt + 1000 }), { flags: 'ACK' });
    expect(machine.state).to.equal('TIME-WAIT');
  });

  it('an old segment is answered, and the RST that draws ends TIME-WAIT early: the hazard of RFC 1337 (R1337-01)', () => {
    const machine = inTimeWait();
    const [answer] = machine.recv({ seq: IRS - 100, payload: 'old' }).segments;
    const reset = { seq: answer?.ack ?? 0, flags: 'RST' };
    expect(machine.recv(reset).state).to.equal('CLOSED');
    expect(inTimeWait({ settings: { timeWaitIgnoresReset: true } }).recv(reset).state).to.equal('TIME-WAIT');
  });
});

describe('ECN, agreed on (RFC 3168 section 6.1.1, SHLD-8)', () => {
  const open = (ecn: 'off' | 'accept' | 'ask') => {
    const machine = inClosed({ settings: { ecn } });
    return [machine, machine.on({ kind: 'open' })] as const;
  };
  it('is asked for by ECE and CWR on the SYN, and granted by ECE', () => {
    const [machine, reaction] = open('ask');
    expectSent(reaction, { flags: 'SYN,ECE,CWR', ecn: 0 });
    machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK,ECE' });
    expectSent(machine.send('data'), { ecn: 2, flags: 'PSH,ACK' });
    expectSent(machine.recv({ payload: 'x' }), { ecn: 0, length: 0 });
  });

  it('is refused by both bits, or none', () => {
    for (const flags of ['SYN,ACK', 'SYN,ACK,ECE,CWR']) {
      const [machine] = open('ask');
      machine.recv({ seq: IRS, ack: ISS + 1, flags });
      expectSent(machine.send('data'), { ecn: 0 });
    }
  });

  it('is not asked for again when that SYN was not answered, and not used then', () => {
    const [machine] = open('ask');
    expectSent(machine.wait(1000), { flags: 'SYN' });
    machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK,ECE' });
    expectSent(machine.send('data'), { ecn: 0 });
  });

  it('is granted to who asks, unless it is off', () => {
    for (const [ecn, flags] of [
      ['accept', 'SYN,ACK,ECE'],
      ['off', 'SYN,ACK'],
    ] as const)
      expectSent(inListen({ settings: { ecn } }).recv({ seq: IRS, flags: 'SYN,ECE,CWR' }), { flags, ecn: 0 });
  });
});

describe('The user timeout option (RFC 5482)', () => {
  const told = ({ segments }: { readonly segments: readonly Segment[] }) =>
    segments.map((segment) => option(segment, 'userTimeout')?.timeout);

  it('is on the SYN, and on the first segment behind it (R5482-01)', () => {
    const machine = inClosed({ settings: { userTimeoutMs: 300_000 } });
    expect(told(machine.on({ kind: 'open' }))).to.deep.equal([300]);
    expect(told(machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK' }))).to.deep.equal([300]);
    expect(told(machine.send('x'))).to.deep.equal([undefined]);
  });

  it('is told when it changes', () => {
    const machine = inEstablished();
    machine.set({ userTimeoutMs: 120_000 });
    expect(told(machine.send('x'))).to.deep.equal([120]);
  });

  const hears = (machine: Machine, timeout: number, granularity: 'seconds' | 'minutes' = 'seconds') =>
    machine.recv({ options: [{ kind: 'userTimeout', granularity, timeout }] });

  it('of the other side counts where the program chose none, between 100 s and an hour (R5482-03)', () => {
    for (const [timeout, granularity, effectiveMs] of [
      [200, 'seconds', 200_000],
      [1, 'seconds', 100_000],
      [0x7fff, 'minutes', 3_600_000],
    ] as const) {
      const machine = inEstablished();
      hears(machine, timeout, granularity);
      machine.send('x');
      expect(machine.wait(effectiveMs - 1).state).to.equal('ESTABLISHED');
      const reaction = machine.wait(1);
      expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ETIMEDOUT']);
    }
  });

  it('of zero says nothing', () => {
    const machine = inEstablished();
    hears(machine, 200);
    hears(machine, 0);
    expect(machine.block.peerUserTimeoutMs).to.equal(200_000);
  });

  it('counts for nothing where the program chose its own, or the option is off', () => {
    for (const settings of [{ userTimeoutMs: 500_000 }, { userTimeoutOption: false }]) {
      const machine = inEstablished({ settings });
      hears(machine, 100);
      machine.send('x');
      expect(machine.wait(200_000).state).to.equal('ESTABLISHED');
    }
  });
});

describe('Both sides of an opening', () => {
  it('agree on what both SYNs had (R7323-01, R2018-01)', () => {
    const all = [{ kind: 'sackPermitted' }, { kind: 'windowScale', shift: 3 }, stamp(9)] as const;
    const settings = { sack: true, windowScale: true, timestamps: true };
    for (const make of [inEstablished, inEstablishedByPassiveOpen]) {
      const yes = make({ settings, options: all }).block;
      expect([yes.hasSack, yes.hasWindowScale, yes.hasTimestamps]).to.deep.equal([true, true, true]);
      const no = make({ settings, options: [] }).block;
      expect([no.hasSack, no.hasWindowScale, no.hasTimestamps]).to.deep.equal([false, false, false]);
      const off = make({ options: all }).block;
      expect([off.hasSack, off.hasWindowScale, off.hasTimestamps]).to.deep.equal([false, false, false]);
    }
  });

  it('a SYN,ACK has none that the SYN had not', () => {
    const settings = { sack: true, windowScale: true, timestamps: true, userTimeoutMs: 0 };
    const [synAck] = inListen({ settings }).recv({ seq: IRS, flags: 'SYN' }).segments;
    expect(synAck?.options.map(({ kind }) => kind)).to.deep.equal(['mss']);
  });

  it('SACK-permitted is on no segment without SYN (R2018-01)', () => {
    const machine = inEstablished({ settings: { sack: true }, options: [{ kind: 'sackPermitted' }] });
    const segments = [...machine.send(2000).segments, ...machine.recv({ payload: 'x' }).segments];
    expect(segments.some(({ options }) => options.some(({ kind }) => kind === 'sackPermitted'))).to.equal(
      false,
    );
  });
});
