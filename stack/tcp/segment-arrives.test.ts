/** The matrix of RFC 9293 section 3.10.7: each state, each kind of segment. */
import { expect } from 'chai';
import { FLAG, seqDiff } from '../../harness/segment/index.js';
import {
  errorOf,
  expectSent,
  IRS,
  ISS,
  inClosed,
  inCloseWait,
  inClosing,
  inEstablished,
  inFinWait1,
  inFinWait2,
  inLastAck,
  inListen,
  inSynReceived,
  inSynReceivedByActiveOpen,
  inSynSent,
  inTimeWait,
  kindsOf,
  type Machine,
  optionOf,
  type Setup,
  STATES,
  SYNCHRONIZED,
} from './machine.fixture.js';
import { receivesText, type TcpState } from './state.js';

const WITH_BLOCK = ['SYN-RECEIVED', ...SYNCHRONIZED] as const;
const TEXTLESS = WITH_BLOCK.filter((state) => !receivesText(state) && state !== 'SYN-RECEIVED');
const make = (state: TcpState, setup: Setup = {}): Machine =>
  STATES[state]({ ...setup, settings: { timeWaitReuse: false, ...setup.settings } });

const theAck = ({ block }: Machine) => ({ seq: block.sndNxt, ack: block.rcvNxt, flags: 'ACK', length: 0 });

describe('SEGMENT ARRIVES in CLOSED (3.10.7.1)', () => {
  it('answers without an ACK by <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> (NOID-01)', () => {
    expectSent(inClosed().recv({ seq: 10, flags: 'SYN,FIN', payload: 'abc' }), {
      seq: 0,
      ack: 15,
      flags: 'RST,ACK',
    });
  });

  it('answers with an ACK by <SEQ=SEG.ACK><CTL=RST> (NOID-01)', () => {
    for (const flags of ['ACK', 'SYN,ACK', 'FIN,ACK', 'URG,ACK'])
      expectSent(inClosed().recv({ seq: 10, ack: 77, flags, payload: 'abc' }), {
        seq: 77,
        ack: 0,
        flags: 'RST',
        length: 0,
      });
  });

  it('never answers a RST (NOID-02)', () => {
    for (const flags of ['RST', 'RST,ACK', 'RST,SYN']) expectSent(inClosed().recv({ flags }));
  });
});

describe('SEGMENT ARRIVES in LISTEN (3.10.7.2)', () => {
  it('ignores a RST (NOID-03)', () => {
    for (const flags of ['RST', 'RST,ACK', 'RST,SYN']) {
      const reaction = inListen().recv({ flags });
      expectSent(reaction);
      expect(reaction.state).to.equal('LISTEN');
    }
  });

  it('answers whatever has an ACK with <SEQ=SEG.ACK><CTL=RST> (NOID-04)', () => {
    for (const flags of ['ACK', 'SYN,ACK', 'FIN,ACK']) {
      const reaction = inListen().recv({ ack: 99, flags, payload: 'x' });
      expectSent(reaction, { seq: 99, flags: 'RST' });
      expect(reaction.state).to.equal('LISTEN');
    }
  });

  it('answers a SYN with <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and is in SYN-RECEIVED (NOID-05)', () => {
    const machine = inListen();
    const reaction = machine.recv({ seq: IRS, flags: 'SYN' });
    expectSent(reaction, { seq: ISS, ack: IRS + 1, flags: 'SYN,ACK', length: 0 });
    expect(reaction.state).to.equal('SYN-RECEIVED');
    expect(machine.block.irs).to.equal(IRS);
    expect(machine.block.isActive, 'MUST-11').to.equal(false);
  });

  it('leaves text and FIN of a SYN to be sent again: neither is acknowledged nor lost (NOID-05)', () => {
    const machine = inListen();
    expectSent(machine.recv({ seq: IRS, flags: 'SYN,FIN', payload: 'early' }), { ack: IRS + 1 });
    machine.recv({ seq: IRS + 1, flags: 'FIN,ACK', payload: 'early' });
    expect(machine.receive()).to.equal('early');
    expect(machine.state).to.equal('CLOSE-WAIT');
  });

  it('drops what has neither RST, ACK nor SYN (NOID-06)', () => {
    for (const flags of ['none', 'FIN', 'URG', 'PSH,FIN'])
      expectSent(inListen().recv({ flags, payload: 'x' }));
  });
});

describe('SEGMENT ARRIVES in SYN-SENT (3.10.7.3)', () => {
  for (const [name, ack] of [
    ['ISS', ISS],
    ['behind SND.NXT', ISS + 2],
    ['below ISS', ISS - 1000],
  ] as const) {
    it(`answers an ACK of ${name} with <SEQ=SEG.ACK><CTL=RST>, SYN or not (NOID-07)`, () => {
      for (const flags of ['ACK', 'SYN,ACK', 'FIN,ACK']) {
        const reaction = inSynSent().recv({ seq: IRS, ack, flags });
        expectSent(reaction, { seq: ack, flags: 'RST', length: 0 });
        expect(reaction.state).to.equal('SYN-SENT');
      }
    });

    it(`drops a RST with an ACK of ${name} (NOID-07, NOID-08)`, () => {
      const reaction = inSynSent().recv({ seq: IRS, ack, flags: 'RST,ACK' });
      expectSent(reaction);
      expect(reaction.state).to.equal('SYN-SENT');
    });
  }

  it('is refused by a RST with an acceptable ACK (NOID-08)', () => {
    const reaction = inSynSent().recv({ seq: 0, ack: ISS + 1, flags: 'RST,ACK' });
    expectSent(reaction);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ECONNREFUSED']);
  });

  it('drops a RST without an ACK (NOID-08)', () => {
    const reaction = inSynSent().recv({ seq: IRS, flags: 'RST' });
    expectSent(reaction);
    expect(reaction.state).to.equal('SYN-SENT');
  });

  it('acknowledges a SYN,ACK and is in ESTABLISHED, with the window that it told (NOID-09, R1122-08)', () => {
    const machine = inSynSent();
    const reaction = machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK', window: 321 });
    expectSent(reaction, { seq: ISS + 1, ack: IRS + 1, flags: 'ACK', length: 0 });
    expect(reaction.state).to.equal('ESTABLISHED');
    expect(kindsOf(reaction)).to.include('established');
    const { sndWnd, sndWl1, sndWl2, sndUna } = machine.block;
    expect([sndWnd, sndWl1, sndWl2, sndUna]).to.deep.equal([321, IRS, machine.block.sndNxt, sndUna]);
  });

  it('takes text, URG and FIN of a SYN,ACK (NOID-09)', () => {
    const machine = inSynSent();
    const reaction = machine.recv({
      seq: IRS,
      ack: ISS + 1,
      flags: 'SYN,ACK,FIN,URG',
      urgentPointer: 1,
      payload: 'hello',
    });
    expectSent(reaction, { ack: IRS + 7, flags: 'ACK' });
    expect(machine.receive()).to.equal('hello');
    expect(kindsOf(reaction)).to.include.members(['urgent', 'end']);
    expect(machine.state).to.equal('CLOSE-WAIT');
  });

  it('answers a SYN with <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> and is in SYN-RECEIVED (NOID-10, MUST-10)', () => {
    const reaction = inSynSent().recv({ seq: IRS, flags: 'SYN' });
    expectSent(reaction, { seq: ISS, ack: IRS + 1, flags: 'SYN,ACK' });
    expect(reaction.state).to.equal('SYN-RECEIVED');
  });

  it('drops what has neither SYN nor RST (NOID-11)', () => {
    for (const flags of ['ACK', 'FIN,ACK', 'FIN', 'none']) {
      const reaction = inSynSent().recv({ seq: IRS, ack: ISS + 1, flags, payload: 'x' });
      expectSent(reaction);
      expect(reaction.state).to.equal('SYN-SENT');
    }
  });
});

describe('First, the sequence number (3.10.7.4)', () => {
  for (const state of WITH_BLOCK) {
    const edges = {
      'left of the window': (machine: Machine) => ({ seq: machine.block.rcvNxt - 5, payload: 'abcde' }),
      'without length left of the window': (machine: Machine) => ({ seq: machine.block.rcvNxt - 1 }),
      'at the right edge': (machine: Machine) => ({ seq: machine.block.rcvEdge, payload: 'a' }),
      'without length beyond the right edge': (machine: Machine) => ({ seq: machine.block.rcvEdge + 1 }),
    };
    for (const [name, place] of Object.entries(edges))
      it(`${state}: ${name} is answered with <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> (NOID-12, NOID-13)`, () => {
        const machine = make(state);
        const expected = theAck(machine);
        const reaction = machine.recv(place(machine));
        expectSent(reaction, expected);
        expect(reaction.state).to.equal(state);
      });

    it(`${state}: without length at the right edge it is heard: whoever has filled the window acknowledges from there`, () => {
      const machine = make(state);
      expectSent(machine.recv({ seq: machine.block.rcvEdge }));
      expect(machine.block.sndUna).to.equal(machine.block.sndNxt);
    });

    it(`${state}: a RST outside of the window is dropped (NOID-13, NOID-16, R5961-01)`, () => {
      for (const resetProfile of ['rfc5961', 'rfc793'] as const) {
        const machine = make(state, { settings: { resetProfile } });
        for (const seq of [machine.block.rcvNxt - 1, machine.block.rcvEdge]) {
          const reaction = machine.recv({ seq, flags: 'RST' });
          expectSent(reaction);
          expect(reaction.state).to.equal(state);
        }
      }
    });

    it(`${state}: the last octet of the window is in it`, () => {
      const machine = make(state);
      const reaction = machine.recv({ seq: machine.block.rcvEdge - 1, ack: machine.block.sndNxt });
      expectSent(reaction);
    });
  }

  it('takes of a segment what lies in the window (NOID-14)', () => {
    const machine = inEstablished({ settings: { receiveBufferOctets: 4 } });
    expectSent(machine.recv({ seq: IRS - 1, payload: 'xxab' }), { ack: IRS + 3, window: 2 });
    expectSent(machine.recv({ payload: 'cdefgh' }), { ack: IRS + 5, window: 0 });
    expect(machine.receive()).to.equal('abcd');
  });
});

describe('First: while the own window is shut (3.10.7.4, 3.8.6)', () => {
  function shut(): Machine {
    const machine = inEstablished({ settings: { receiveBufferOctets: 1000 } });
    machine.send(100);
    machine.recv({ payload: new Uint8Array(1000), ack: machine.block.sndUna });
    expect(machine.block.rcvEdge).to.equal(machine.block.rcvNxt);
    return machine;
  }

  it('an ACK is processed, and text is not (NOID-15, MUST-66)', () => {
    const machine = shut();
    expectSent(machine.recv({ payload: 'x' }), { flags: 'ACK', ack: IRS + 1001, window: 0 });
    expect(machine.block.sndUna).to.equal(machine.block.sndNxt);
  });

  it('each probe is answered with the window (NOID-51)', () => {
    const machine = shut();
    for (let i = 0; i < 20; i += 1)
      expectSent(machine.recv({ payload: 'x' }), { ack: IRS + 1001, window: 0 });
  });

  it('a RST at RCV.NXT and an urgent pointer are heeded (MUST-66)', () => {
    const machine = shut();
    expect(kindsOf(machine.recv({ flags: 'URG,ACK', urgentPointer: 5, payload: 'x' }))).to.include('urgent');
    expect(machine.recv({ flags: 'RST' }).state).to.equal('CLOSED');
  });

  it('an ACK behind a probe is heeded: who probes has sent that octet', () => {
    const machine = shut();
    machine.recv({ seq: machine.block.rcvNxt + 1 });
    expect(machine.block.sndUna).to.equal(machine.block.sndNxt);
  });

  it('a FIN waits for the window, and the ACK with it does not', () => {
    const machine = shut();
    expectSent(machine.recv({ flags: 'FIN,ACK' }), { ack: IRS + 1001, window: 0 });
    expect(machine.block.sndUna).to.equal(machine.block.sndNxt);
    expect(machine.state).to.equal('ESTABLISHED');
  });
});

describe('Second, the RST bit (3.10.7.4)', () => {
  const ends: Readonly<Record<(typeof WITH_BLOCK)[number], string | undefined>> = {
    // "return this connection to the LISTEN state. The user need not be informed." (NOID-18)
    'SYN-RECEIVED': undefined,
    ESTABLISHED: 'ECONNRESET',
    'FIN-WAIT-1': 'ECONNRESET',
    'FIN-WAIT-2': 'ECONNRESET',
    'CLOSE-WAIT': 'ECONNRESET',
    CLOSING: undefined,
    'LAST-ACK': undefined,
    'TIME-WAIT': undefined,
  };
  for (const state of WITH_BLOCK) {
    it(`${state}: at RCV.NXT it ends the connection, with text too (NOID-18, NOID-19, NOID-20, R5961-02, SHLD-2, MUST-12)`, () => {
      for (const resetProfile of ['rfc5961', 'rfc793'] as const)
        for (const payload of ['', 'text that explains']) {
          const reaction = make(state, { settings: { resetProfile } }).recv({ flags: 'RST', payload });
          expectSent(reaction);
          expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', ends[state]]);
        }
    });

    it(`${state}: elsewhere in the window it is challenged (NOID-16, R5961-03)`, () => {
      const machine = make(state);
      const expected = theAck(machine);
      for (const seq of [machine.block.rcvNxt + 1, machine.block.rcvEdge - 1]) {
        const reaction = machine.recv({ seq, flags: 'RST' });
        expectSent(reaction, expected);
        expect(reaction.state).to.equal(state);
      }
    });

    it(`${state}: elsewhere in the window it ends the connection for RFC 793 (NOID-17)`, () => {
      const machine = make(state, { settings: { resetProfile: 'rfc793' } });
      expect(machine.recv({ seq: machine.block.rcvEdge - 1, flags: 'RST' }).state).to.equal('CLOSED');
    });
  }

  it('the RST that answers a challenge is believed (R5961-03)', () => {
    const machine = inEstablished();
    const [challenge] = machine.recv({ seq: IRS + 100, flags: 'RST' }).segments;
    expect(machine.recv({ seq: challenge?.ack ?? 0, flags: 'RST' }).state).to.equal('CLOSED');
  });

  it('an active opening is refused in SYN-RECEIVED (NOID-18, MUST-11)', () => {
    const reaction = inSynReceivedByActiveOpen().recv({ flags: 'RST' });
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ECONNREFUSED']);
  });

  it('a RST is not put through PAWS, and changes no timestamp (R7323-15)', () => {
    const options = [{ kind: 'timestamps', tsVal: 500, tsEcr: 0 }] as const;
    const machine = inEstablished({ settings: { timestamps: true }, options });
    const old = { kind: 'timestamps', tsVal: 1, tsEcr: 0 } as const;
    expect(machine.recv({ flags: 'RST', seq: IRS + 9, options: [old] }).state).to.equal('ESTABLISHED');
    expect(machine.block.tsRecent).to.equal(500);
    expect(machine.recv({ flags: 'RST', options: [old] }).state).to.equal('CLOSED');
  });

  it('TIME-WAIT: a RST does not end it where RFC 1337 is followed (R1337-05)', () => {
    const machine = inTimeWait({ settings: { timeWaitIgnoresReset: true } });
    const reaction = machine.recv({ flags: 'RST' });
    expectSent(reaction);
    expect(reaction.state).to.equal('TIME-WAIT');
  });
});

describe('Fourth, the SYN bit (3.10.7.4)', () => {
  for (const state of SYNCHRONIZED) {
    it(`${state}: a SYN is challenged, wherever it lies (NOID-22, R5961-04)`, () => {
      const machine = make(state);
      const expected = theAck(machine);
      for (const seq of [machine.block.irs, machine.block.rcvNxt, machine.block.rcvEdge + 100])
        for (const flags of ['SYN', 'SYN,ACK']) {
          const reaction = machine.recv({ seq, flags });
          expectSent(reaction, expected);
          expect(reaction.state).to.equal(state);
        }
    });

    it(`${state}: a SYN in the window ends the connection for RFC 793, with a RST (NOID-22)`, () => {
      const machine = make(state, { settings: { resetProfile: 'rfc793' } });
      const reaction = machine.recv({ flags: 'SYN' });
      expectSent(reaction, { seq: machine.block.sndNxt, flags: 'RST,ACK' });
      expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ECONNRESET']);
    });
  }

  it('SYN-RECEIVED by a passive OPEN: a SYN in the window returns it to LISTEN (NOID-21, R1122-09)', () => {
    const machine = inSynReceived();
    const reaction = machine.recv({ seq: machine.block.rcvNxt + 7, flags: 'SYN' });
    expectSent(reaction);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', undefined]);
  });

  it('SYN-RECEIVED by an active OPEN: a SYN in the window is challenged', () => {
    const machine = inSynReceivedByActiveOpen();
    const expected = theAck(machine);
    expectSent(machine.recv({ seq: machine.block.rcvNxt + 7, flags: 'SYN' }), expected);
  });

  it('SYN-RECEIVED: the SYN that comes again is answered with the SYN,ACK again (NOID-48)', () => {
    const machine = inSynReceived();
    machine.wait(10);
    expectSent(machine.recv({ seq: IRS, flags: 'SYN' }), { seq: ISS, ack: IRS + 1, flags: 'SYN,ACK' });
  });
});

describe('Fifth, the ACK field (3.10.7.4)', () => {
  for (const state of WITH_BLOCK) {
    it(`${state}: without the ACK bit the segment is dropped (NOID-23)`, () => {
      const machine = make(state);
      const before = machine.block.rcvNxt;
      const reaction = machine.recv({ flags: 'FIN', payload: 'x' });
      expectSent(reaction);
      expect([reaction.state, machine.block.rcvNxt]).to.deep.equal([state, before]);
    });
  }

  it('SYN-RECEIVED: an ACK of the SYN leads to ESTABLISHED, with its window (NOID-24)', () => {
    const machine = inSynReceived();
    const reaction = machine.recv({ ack: ISS + 1, window: 99 });
    expectSent(reaction);
    expect([reaction.state, machine.block.sndWnd]).to.deep.equal(['ESTABLISHED', 99]);
  });

  it('SYN-RECEIVED: any other ACK is answered with <SEQ=SEG.ACK><CTL=RST> (NOID-24)', () => {
    for (const ack of [ISS, ISS - 5, ISS + 2, ISS + 0x7000_0000]) {
      const reaction = inSynReceived().recv({ ack });
      expectSent(reaction, { seq: ack, flags: 'RST' });
      expect(reaction.state).to.equal('SYN-RECEIVED');
    }
  });

  for (const state of SYNCHRONIZED) {
    it(`${state}: an ACK of what was never sent is answered with an ACK, and the segment dropped (NOID-25)`, () => {
      const machine = make(state);
      const expected = theAck(machine);
      const reaction = machine.recv({ ack: machine.block.sndNxt + 1, flags: 'FIN,ACK', payload: 'x' });
      expectSent(reaction, expected);
      expect(reaction.state).to.equal(state);
    });

    it(`${state}: an ACK older than the largest window is challenged (R5961-05, MAY-12)`, () => {
      const machine = make(state);
      const expected = theAck(machine);
      const ack = machine.block.sndUna - machine.block.maxSndWnd - 1;
      expectSent(machine.recv({ ack, flags: 'FIN,ACK', payload: 'x' }), expected);
      expect(machine.state).to.equal(state);
    });
  }

  it('ESTABLISHED: text of a segment with an old ACK is taken; for RFC 793 however old it is', () => {
    const machine = inEstablished();
    machine.recv({ ack: machine.block.sndUna - machine.block.maxSndWnd, payload: 'ab' });
    expect(machine.receive()).to.equal('ab');
    const older = inEstablished({ settings: { resetProfile: 'rfc793' } });
    older.recv({ ack: older.block.sndUna - older.block.maxSndWnd - 1, payload: 'ab' });
    expect(older.receive()).to.equal('ab');
  });

  it('ESTABLISHED: the window is taken from newer segments only (NOID-26)', () => {
    const machine = inEstablished();
    machine.recv({ payload: 'ab', window: 700 });
    machine.recv({ seq: IRS + 1, payload: 'ab', window: 9999 });
    expect(machine.block.sndWnd).to.equal(700);
    machine.recv({ window: 800 });
    expect(machine.block.sndWnd).to.equal(800);
  });

  it('FIN-WAIT-1: only the ACK of the FIN leads to FIN-WAIT-2 (NOID-27)', () => {
    const machine = inEstablished();
    machine.send('data');
    machine.close();
    expect(machine.recv({ ack: machine.block.sndNxt - 1 }).state).to.equal('FIN-WAIT-1');
    expect(machine.recv().state).to.equal('FIN-WAIT-2');
  });

  it('FIN-WAIT-2: data is still received (NOID-28)', () => {
    const machine = inFinWait2();
    expectSent(machine.recv({ payload: 'more' }), { flags: 'ACK', ack: IRS + 5 });
    expect(machine.receive()).to.equal('more');
  });

  it('CLOSING: the ACK of the FIN leads to TIME-WAIT, others are ignored (NOID-29)', () => {
    const machine = inClosing();
    const duplicate = machine.recv({ ack: machine.block.sndUna });
    expectSent(duplicate);
    expect(duplicate.state).to.equal('CLOSING');
    expect(machine.recv().state).to.equal('TIME-WAIT');
  });

  it('LAST-ACK: the ACK of the FIN ends the connection, others do not (NOID-30)', () => {
    const machine = inLastAck();
    expect(machine.recv({ ack: machine.block.sndUna }).state).to.equal('LAST-ACK');
    const reaction = machine.recv();
    expectSent(reaction);
    expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', undefined]);
  });

  it('TIME-WAIT: the FIN again is acknowledged, and 2 MSL begin anew (NOID-31)', () => {
    const machine = inTimeWait();
    const expected = theAck(machine);
    machine.wait(50_000);
    const reaction = machine.recv({ seq: machine.block.rcvNxt - 1, flags: 'FIN,ACK' });
    expectSent(reaction, expected);
    expect(kindsOf(reaction)).to.include('lingers');
    expect(machine.wait(59_999).state).to.equal('TIME-WAIT');
    expect(machine.wait(1).state).to.equal('CLOSED');
  });
});

describe('Sixth, the URG bit (3.10.7.4)', () => {
  for (const state of ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'] as const)
    it(`${state}: the program is told of urgent data ahead, and how much (MUST-32, MUST-33)`, () => {
      const machine = make(state);
      const reaction = machine.recv({ flags: 'URG,ACK', urgentPointer: 500 });
      expect(kindsOf(reaction)).to.include('urgent');
      expect(seqDiff(machine.block.rcvUp, machine.block.rcvNxt)).to.equal(500);
    });

  for (const state of TEXTLESS)
    it(`${state}: ignored (NOID-36)`, () => {
      const reaction = make(state).recv({ flags: 'URG,ACK', urgentPointer: 500 });
      expect(kindsOf(reaction)).to.not.include('urgent');
    });
});

describe('Seventh, the segment text (3.10.7.4)', () => {
  for (const state of ['SYN-RECEIVED', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'] as const)
    it(`${state}: taken, and acknowledged`, () => {
      const machine = make(state);
      const reaction = machine.recv({ payload: 'text' });
      expectSent(reaction, { flags: 'ACK', ack: machine.block.irs + 5 });
      expect(kindsOf(reaction)).to.include('readable');
      expect(machine.receive()).to.equal('text');
    });

  for (const state of TEXTLESS)
    it(`${state}: ignored (NOID-36)`, () => {
      const machine = make(state);
      const { rcvNxt } = machine.block;
      machine.recv({ payload: 'text', ack: machine.block.sndUna });
      expect([machine.block.rcvNxt, machine.block.receiveOctets]).to.deep.equal([rcvNxt, 0]);
      expect(machine.state).to.equal(state);
    });

  it('what comes beyond RCV.NXT is kept, and told of at once (SHLD-31, MAY-13)', () => {
    const machine = inEstablished();
    expectSent(machine.recv({ seq: IRS + 4, payload: 'def' }), { ack: IRS + 1 });
    expectSent(machine.recv({ payload: 'abc' }), { ack: IRS + 7 });
    expect(machine.receive()).to.equal('abcdef');
  });
});

describe('Eighth, the FIN bit (3.10.7.4)', () => {
  const arrivals: readonly (readonly [string, () => Machine, TcpState, object])[] = [
    ['SYN-RECEIVED', inSynReceived, 'CLOSE-WAIT', {}],
    ['ESTABLISHED', inEstablished, 'CLOSE-WAIT', {}],
    ['FIN-WAIT-1, with the ACK of our FIN', inFinWait1, 'TIME-WAIT', {}],
    ['FIN-WAIT-1, without', inFinWait1, 'CLOSING', { ack: ISS + 1 }],
    ['FIN-WAIT-2', inFinWait2, 'TIME-WAIT', {}],
  ];
  for (const [name, from, to, fields] of arrivals)
    it(`${name}: leads to ${to}, is acknowledged, and ends what is to be read (NOID-32, NOID-33, NOID-34)`, () => {
      const machine = from();
      const reaction = machine.recv({ flags: 'FIN,ACK', payload: 'bye', ...fields });
      expectSent(reaction, { ack: IRS + 5, flags: 'ACK' });
      expect(reaction.state).to.equal(to);
      expect(kindsOf(reaction).indexOf('readable')).to.be.lessThan(kindsOf(reaction).indexOf('end'));
      expect(machine.receive()).to.equal('bye');
    });

  for (const [name, from] of [
    ['CLOSE-WAIT', inCloseWait],
    ['CLOSING', inClosing],
    ['LAST-ACK', inLastAck],
  ] as const) {
    it(`${name}: a FIN that comes again is acknowledged, and the state stays (NOID-35)`, () => {
      const machine = from();
      const expected = theAck(machine);
      const { rcvNxt, sndUna } = machine.block;
      expectSent(machine.recv({ seq: rcvNxt - 1, flags: 'FIN,ACK', ack: sndUna }), expected);
      expect(machine.state).to.equal(name);
    });

    it(`${name}: another FIN behind the first is none: RCV.NXT stays`, () => {
      const machine = from();
      const { rcvNxt, sndUna } = machine.block;
      const reaction = machine.recv({ flags: 'FIN,ACK', ack: sndUna });
      expect([machine.block.rcvNxt, machine.state]).to.deep.equal([rcvNxt, name]);
      expect(kindsOf(reaction)).to.not.include('end');
    });
  }

  it('a FIN out of order waits for what is missing (NOID-32)', () => {
    const machine = inEstablished();
    expectSent(machine.recv({ seq: IRS + 3, flags: 'FIN,ACK', payload: 'c' }), { ack: IRS + 1 });
    expect(machine.state).to.equal('ESTABLISHED');
    expectSent(machine.recv({ payload: 'ab' }), { ack: IRS + 5 });
    expect([machine.receive(), machine.state]).to.deep.equal(['abc', 'CLOSE-WAIT']);
  });

  it('text behind a FIN that waits is ignored (NOID-36)', () => {
    const machine = inEstablished();
    machine.recv({ seq: IRS + 3, flags: 'FIN,ACK' });
    machine.recv({ payload: 'abcdef' });
    expect([machine.receive(), machine.state]).to.deep.equal(['ab', 'CLOSE-WAIT']);
  });

  it('a FIN amid data that is here already is none', () => {
    const machine = inEstablished();
    machine.recv({ seq: IRS + 3, payload: 'cdef' });
    machine.recv({ seq: IRS + 3, flags: 'FIN,ACK' });
    machine.recv({ payload: 'ab' });
    expect([machine.receive(), machine.state]).to.deep.equal(['abcdef', 'ESTABLISHED']);
  });

  it('CLOSED, LISTEN and SYN-SENT do not process it (NOID-37)', () => {
    for (const machine of [inClosed(), inListen(), inSynSent()]) {
      const { state } = machine;
      machine.recv({ flags: 'FIN' });
      expect(machine.state).to.equal(state);
    }
  });
});

describe('A simultaneous opening (3.5, figure 8)', () => {
  it('is complete when the SYN,ACK of the other side arrives (MUST-10)', () => {
    const machine = inSynReceivedByActiveOpen();
    const reaction = machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK' });
    expect(reaction.state).to.equal('ESTABLISHED');
  });

  it('takes the window of that SYN,ACK as it stands, for it is a SYN (R7323-02)', () => {
    const options = [{ kind: 'windowScale', shift: 7 }] as const;
    const machine = inSynReceivedByActiveOpen({ settings: { windowScale: true }, options });
    machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK', window: 1280 });
    expect(machine.block.sndWnd).to.equal(1280);
  });
});

describe('Challenge ACKs', () => {
  it('are limited, and the limit can be chosen (R5961-06)', () => {
    const machine = inEstablished({ settings: { challengeAcksPer5s: 3 } });
    const flood = () =>
      Array.from({ length: 10 }, () => machine.recv({ flags: 'SYN' }).segments).flat().length;
    expect(flood()).to.equal(3);
    machine.wait(5000);
    expect(flood()).to.equal(3);
  });

  it('end an endless exchange of ACKs between two that disagree (R1337-03)', () => {
    const machine = inEstablished();
    let sent = 0;
    for (let i = 0; i < 100; i += 1) sent += machine.recv({ ack: machine.block.sndNxt + 9 }).segments.length;
    expect(sent).to.equal(10);
  });

  it('carry a timestamp where they were agreed on (R7323-07)', () => {
    const options = [{ kind: 'timestamps', tsVal: 500, tsEcr: 0 }] as const;
    const machine = inEstablished({ settings: { timestamps: true }, options });
    machine.peerTimestamp = 500;
    const [segment] = machine.recv({ flags: 'SYN' }).segments;
    expect(segment && optionOf(segment, 'timestamps')?.tsEcr).to.equal(500);
    expect((segment?.flags ?? 0) & FLAG.ACK).to.equal(FLAG.ACK);
  });
});
