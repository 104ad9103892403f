/** The user's calls of RFC 9293 sections 3.10.1 to 3.10.6, in each state. */
import { expect } from 'chai';
import { status } from './index.js';
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
  PEER_MSS,
  STATES,
} from './machine.fixture.js';
import type { TcpState } from './state.js';

const ALL = Object.keys(STATES) as TcpState[]; // the keys of a record of states are its states

describe('OPEN (3.10.1)', () => {
  it('active: sends <SEQ=ISS><CTL=SYN> and is in SYN-SENT', () => {
    const machine = inClosed();
    const reaction = machine.on({ kind: 'open' });
    expectSent(reaction, { seq: ISS, ack: 0, flags: 'SYN', length: 0 });
    expect(reaction.state).to.equal('SYN-SENT');
    const { sndUna, sndNxt, isActive } = machine.block;
    expect([sndUna, sndNxt, isActive]).to.deep.equal([ISS, ISS + 1, true]);
  });

  it('has no effect on a connection that there is', () => {
    for (const state of ALL.filter((each) => each !== 'CLOSED')) {
      const reaction = STATES[state]().on({ kind: 'open' });
      expectSent(reaction);
      expect(reaction.state).to.equal(state);
    }
  });
});

describe('SEND (3.10.2)', () => {
  it('queues while the connection opens, and sends when it is open', () => {
    for (const machine of [inSynSent(), inSynReceivedByActiveOpen()]) {
      expectSent(machine.send('early'));
      const flags = machine.state === 'SYN-SENT' ? 'SYN,ACK' : 'ACK';
      const { segments } = machine.recv({ seq: flags === 'ACK' ? IRS + 1 : IRS, ack: ISS + 1, flags });
      expect(segments.at(-1)?.payload.length).to.equal(5);
    }
  });

  it('sends at <SEQ=SND.NXT><ACK=RCV.NXT> in ESTABLISHED and CLOSE-WAIT', () => {
    for (const machine of [inEstablished(), inCloseWait()]) {
      const { rcvNxt } = machine.block;
      expectSent(machine.send('data'), { seq: ISS + 1, ack: rcvNxt, flags: 'PSH,ACK', length: 4 });
    }
  });

  it('takes nothing where this side has closed, or where there is no connection', () => {
    for (const state of ALL.filter((each) => !/^(SYN|EST|CLOSE-W)/.test(each))) {
      const machine = STATES[state]();
      expectSent(machine.send('data'));
      expect([machine.block.sendOctets, machine.state]).to.deep.equal([0, state]);
    }
  });

  it('takes no more than the buffer has room for, and tells of room later', () => {
    const machine = inEstablished({ settings: { sendBufferOctets: 1500 } });
    machine.send(2000);
    expect(machine.block.sendOctets).to.equal(1500);
    expect(kindsOf(machine.recv({ ack: ISS + 1 + PEER_MSS }))).to.include('writable');
    expect(machine.block.sendOctets).to.equal(500);
  });

  it('urgent: the pointer names the octet behind the urgent data (MUST-62, RFC 6093)', () => {
    const machine = inEstablished();
    expectSent(machine.send('abc', { isUrgent: true }), {
      flags: 'URG,PSH,ACK',
      urgentPointer: 3,
      length: 3,
    });
    expectSent(machine.send('d'));
  });

  it('urgent: of any length, and known before it is there (MUST-30, MUST-31)', () => {
    const machine = inEstablished({ window: 1000 });
    const [first] = machine.send(100_000, { isUrgent: true }).segments;
    expect(first?.urgentPointer).to.equal(0xffff);
    expect(machine.block.isUrgent).to.equal(true);
    let left = 100_000;
    for (; left > 0; left -= 1000) machine.recv();
    expect(machine.block.isUrgent, 'all of it is acknowledged').to.equal(false);
  });

  it('urgent: bypasses Nagle', () => {
    const machine = inEstablished();
    machine.send('a');
    expectSent(machine.send('b', { isUrgent: true }), { flags: 'URG,PSH,ACK', length: 1 });
  });
});

describe('RECEIVE (3.10.3)', () => {
  it('gives what has come, also when the other side or this one has closed', () => {
    for (const from of [inEstablished, inFinWait1, inFinWait2]) {
      const machine = from();
      machine.recv({ flags: 'FIN,ACK', payload: 'hello' });
      expect([machine.receive(3), machine.receive(3), machine.receive(3)]).to.deep.equal(['hel', 'lo', '']);
    }
  });

  it('gives nothing where nothing can have come', () => {
    for (const state of ALL) expect(STATES[state]().receive()).to.equal('');
  });
});

describe('CLOSE (3.10.4)', () => {
  it('LISTEN and SYN-SENT: deletes the block without a word (NOID-38)', () => {
    for (const machine of [inListen(), inSynSent()]) {
      const reaction = machine.close();
      expectSent(reaction);
      expect(reaction.state).to.equal('CLOSED');
    }
  });

  for (const from of [inSynReceived, inSynReceivedByActiveOpen]) {
    it('SYN-RECEIVED: with nothing to send the FIN leaves at once: FIN-WAIT-1 (NOID-39)', () => {
      const machine = from();
      const reaction = machine.close();
      expectSent(reaction, { seq: ISS + 1, ack: IRS + 1, flags: 'FIN,ACK', length: 0 });
      expect(reaction.state).to.equal('FIN-WAIT-1');
      expect(machine.recv({ ack: ISS + 1 }).state, 'the SYN alone is acknowledged').to.equal('FIN-WAIT-1');
      expect(machine.recv().state).to.equal('FIN-WAIT-2');
    });
  }

  it('SYN-RECEIVED: that FIN does not turn the SYN,ACK into a SYN when it is sent again', () => {
    const machine = inSynReceivedByActiveOpen();
    machine.close();
    const synAck = { seq: ISS, ack: IRS + 1, flags: 'SYN,ACK' };
    expectSent(machine.wait(1000), synAck, { seq: ISS + 1, flags: 'FIN,ACK' });
    machine.wait(1);
    expectSent(machine.recv({ seq: IRS, flags: 'SYN' }), synAck);
  });

  it('SYN-RECEIVED: with data queued it waits for ESTABLISHED (NOID-39)', () => {
    const machine = inSynReceivedByActiveOpen();
    machine.send('data');
    expectSent(machine.close());
    expect(machine.state).to.equal('SYN-RECEIVED');
    const reaction = machine.recv();
    expectSent(reaction, { seq: ISS + 1, flags: 'FIN,PSH,ACK', length: 4 });
    expect(reaction.state).to.equal('FIN-WAIT-1');
  });

  it('ESTABLISHED: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=FIN,ACK>, and FIN-WAIT-1 (NOID-40)', () => {
    const reaction = inEstablished().close();
    expectSent(reaction, { seq: ISS + 1, ack: IRS + 1, flags: 'FIN,ACK', length: 0 });
    expect(reaction.state).to.equal('FIN-WAIT-1');
  });

  it('ESTABLISHED: the FIN comes behind all that is queued (NOID-40)', () => {
    const machine = inEstablished({ window: 1500 });
    machine.send(2000);
    expectSent(machine.close());
    // "In any case, enter FIN-WAIT-1 state."
    expect(machine.state).to.equal('FIN-WAIT-1');
    expectSent(machine.recv({ ack: ISS + 1001 }), { seq: ISS + 1001, flags: 'FIN,PSH,ACK', length: 1000 });
    expect(machine.block.sndNxt).to.equal(ISS + 2002 - 2 ** 32);
  });

  it('ESTABLISHED: the other side may close before the FIN has left: CLOSING, and TIME-WAIT by its ACK (NOID-40)', () => {
    const machine = inEstablished({ window: 1500 });
    machine.send(2000);
    machine.close();
    expect(machine.recv({ flags: 'FIN,ACK', ack: ISS + 1 }).state).to.equal('CLOSING');
    expectSent(machine.recv({ ack: ISS + 1001 }), { seq: ISS + 1001, flags: 'FIN,PSH,ACK', length: 1000 });
    expect(machine.recv({ ack: machine.block.sndNxt }).state).to.equal('TIME-WAIT');
  });

  it('CLOSE-WAIT: the FIN, and LAST-ACK (NOID-41, R1122-07)', () => {
    const reaction = inCloseWait().close();
    expectSent(reaction, { seq: ISS + 1, ack: IRS + 2, flags: 'FIN,ACK' });
    expect(reaction.state).to.equal('LAST-ACK');
  });

  it('elsewhere changes nothing: no second FIN (NOID-42)', () => {
    for (const from of [inClosed, inFinWait1, inFinWait2, inClosing, inLastAck, inTimeWait]) {
      const machine = from();
      const { state } = machine;
      const reaction = machine.close();
      expectSent(reaction);
      expect(reaction.state).to.equal(state);
    }
  });
});

describe('A program that lets go of a connection (3.6.1)', () => {
  const release = (machine: Machine) => machine.on({ kind: 'release' });

  it('closes it, and receives no more (MAY-1)', () => {
    const reaction = release(inEstablished());
    expectSent(reaction, { flags: 'FIN,ACK' });
    expect(reaction.state).to.equal('FIN-WAIT-1');
  });

  it('resets it when data is left unread (SHLD-3)', () => {
    const machine = inEstablished();
    machine.recv({ payload: 'unread' });
    const reaction = release(machine);
    expectSent(reaction, { seq: ISS + 1, flags: 'RST,ACK' });
    expect(reaction.state).to.equal('CLOSED');
  });

  it('resets it when data comes later (SHLD-3)', () => {
    const machine = inFinWait2();
    release(machine);
    const reaction = machine.recv({ payload: 'late' });
    expectSent(reaction, { flags: 'RST,ACK' });
    expect(reaction.state).to.equal('CLOSED');
  });

  it('does not wait for ever in FIN-WAIT-2', () => {
    const machine = inFinWait2();
    expect(machine.wait(10_000_000).state).to.equal('FIN-WAIT-2');
    release(machine);
    expect(machine.wait(59_999).state).to.equal('FIN-WAIT-2');
    expect(machine.wait(1).state).to.equal('CLOSED');
  });
});

describe('ABORT (3.10.5)', () => {
  for (const from of [inSynReceived, inEstablished, inFinWait1, inFinWait2, inCloseWait])
    it(`${from().state}: sends <SEQ=SND.NXT><CTL=RST> and deletes the block (NOID-43)`, () => {
      const machine = from();
      const { sndNxt } = machine.block;
      const reaction = machine.abort();
      expectSent(reaction, { seq: sndNxt, flags: 'RST,ACK', length: 0 });
      expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', undefined]);
      expectSent(machine.wait(1_000_000));
    });

  for (const from of [inListen, inSynSent, inClosing, inLastAck, inTimeWait])
    it(`${from().state}: deletes the block without a word (NOID-43)`, () => {
      const reaction = from().abort();
      expectSent(reaction);
      expect(reaction.state).to.equal('CLOSED');
    });

  it('flushes what is queued', () => {
    const machine = inEstablished({ window: 10 });
    machine.send(100);
    machine.abort();
    expect(machine.send('x').segments).to.deep.equal([]);
    expect(machine.wait(1_000_000).segments).to.deep.equal([]);
  });

  it('the RST carries a timestamp where they were agreed on (R7323-08)', () => {
    const options = [{ kind: 'timestamps', tsVal: 500, tsEcr: 0 }] as const;
    const machine = inEstablished({ settings: { timestamps: true }, options });
    const [reset] = machine.abort().segments;
    expect(reset && optionOf(reset, 'timestamps')?.tsEcr).to.equal(500);
  });
});

describe('STATUS (3.10.6)', () => {
  it('tells what section 3.9.1.5 lists, and changes nothing', () => {
    const machine = inEstablished();
    machine.send('abc');
    machine.recv({ payload: 'hello', ack: machine.block.sndUna });
    const before = structuredClone(machine.block.counts);
    expect(status(machine.block)).to.deep.include({
      local: { ip: '192.0.2.1', port: 80 },
      remote: { ip: '192.0.2.2', port: 40_000 },
      state: 'ESTABLISHED',
      sendWindow: 10_000,
      octetsAwaitingAck: 3,
      octetsAwaitingReceipt: 5,
      isUrgent: false,
    });
    expect(machine.block.counts).to.deep.equal(before);
  });

  it('answers in every state', () => {
    for (const state of ALL) expect(status(STATES[state]().block).state).to.equal(state);
  });
});

describe('Settings that change on the way', () => {
  it('the DSCP of what leaves from then on (MUST-48, SHLD-21)', () => {
    const machine = inEstablished({ settings: { dscp: 10 } });
    const [before] = machine.send('a').segments;
    machine.set({ dscp: 46 });
    machine.recv();
    const [after] = machine.send('b').segments;
    expect([before?.ip.trafficClass, after?.ip.trafficClass]).to.deep.equal([10 << 2, 46 << 2]);
  });

  it('the TTL (MUST-49)', () => {
    const machine = inEstablished({ settings: { hopLimit: 9 } });
    expect(machine.send('a').segments[0]?.ip.ttl).to.equal(9);
    machine.set({ hopLimit: 255 });
    machine.recv();
    expect(machine.send('b').segments[0]?.ip.ttl).to.equal(255);
  });

  it('Nagle turned off lets go what it held back (MUST-17)', () => {
    const machine = inEstablished();
    machine.send('a');
    expectSent(machine.send('b'));
    expectSent(machine.set({ noDelay: true }), { length: 1, flags: 'PSH,ACK' });
  });

  it('keep-alives begin with the setting (MUST-24)', () => {
    const machine = inEstablished();
    expectSent(machine.wait(8_000_000));
    machine.set({ keepAlive: true });
    expectSent(machine.wait(0), { length: 0, flags: 'ACK' });
  });
});
