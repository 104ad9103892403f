import { expect } from 'chai';
import type { TcpOption } from '../segment/index.js';
import { Conversation, short } from './conversation.fixture.js';
import { MAX_FLOWS } from './flow-table.js';
import { FlowTracker } from './flow-tracker.js';

const windowScale = (shift: number): readonly TcpOption[] => [
  { kind: 'windowScale', shift },
  { kind: 'nop' },
];
const opened = (): Conversation => new Conversation().open();

/** The client's FIN has been delivered twice. */
function doubled(): Conversation {
  const talk = opened();
  const finish = talk.arrival('client', 'FIN,ACK');
  talk.tracker.arrive(finish);
  talk.give(finish);
  talk.give(finish);
  return talk;
}

describe('flow tracker: the handshake', () => {
  it('names the three segments and gives their numbers relative to each ISS, across the wrap', () => {
    const { c, s } = new Conversation();
    expect(c('SYN')).to.include({ flow: 1, from: 'client', relSeq: 0, len: 1 }).and.not.include.keys('parts');
    expect(short(s('SYN,ACK'))).to.equal('syn-ack');
    const third = c('ACK');
    expect(short(third)).to.equal('handshake-ack + pure-ack');
    expect(third).to.include({ relSeq: 1, relAck: 1, len: 0 });
    expect(c('ACK', { data: 'hello' })).to.include({ relSeq: 1, copy: 1, len: 5 });
    expect(c('ACK', { data: 'world' })).to.include({ relSeq: 6, copy: 1, len: 5 });
  });

  it('counts the copies of SYN and SYN,ACK, and remembers the first', () => {
    const { c, s } = new Conversation();
    const first = c('SYN', { lost: true });
    expect(c('SYN', { seq: 0 })).to.include({ copy: 2, original: first.original });
    s('SYN,ACK', { lost: true });
    expect(short(s('SYN,ACK', { seq: 0 }))).to.equal('syn-ack #2');
  });

  it('takes each answer to a retransmitted SYN,ACK for another copy of the handshake ACK, and no other ACK', () => {
    const { c, s } = new Conversation();
    c('SYN');
    s('SYN,ACK');
    const third = c('ACK', { lost: true });
    s('SYN,ACK', { seq: 0 });
    const again = c('ACK');
    expect(short(again)).to.equal('handshake-ack + pure-ack #2');
    expect(again.original).to.equal(third.original);
    s('ACK', { data: 'x' });
    expect(short(c('ACK'))).to.equal('pure-ack');
  });

  it('knows a third segment that carries data, and its retransmission', () => {
    const { c, s } = new Conversation();
    c('SYN');
    s('SYN,ACK');
    expect(short(c('PSH,ACK', { data: 'GET /', lost: true }))).to.equal('handshake-ack + data');
    expect(short(c('PSH,ACK', { seq: 1, data: 'GET /' }))).to.equal('handshake-ack + data #2');
    expect(short(c('PSH,ACK', { data: 'more' }))).to.equal('data');
  });

  it('does not take data that overtakes the handshake ACK for it', () => {
    const { c, s } = new Conversation();
    c('SYN');
    s('SYN,ACK');
    expect(short(c('ACK', { held: true }))).to.equal('handshake-ack + pure-ack');
    expect(short(c('PSH,ACK', { data: 'x' }))).to.equal('data');
  });

  it('follows a simultaneous open in one flow', () => {
    const { c, s } = new Conversation();
    c('SYN', { held: true });
    expect(s('SYN')).to.include({ flow: 1, copy: 1, relSeq: 0 });
    expect(short(c('SYN,ACK', { seq: 0, ack: 1 }))).to.equal('syn-ack');
    expect(short(s('SYN,ACK', { seq: 0, ack: 1 }))).to.equal('syn-ack');
    expect(short(c('ACK'))).to.equal('handshake-ack + pure-ack');
  });

  it('counts data on a SYN as data behind the SYN', () => {
    const { c, s } = new Conversation();
    expect(short(c('SYN', { data: 'fast' }))).to.equal('syn + data');
    s('SYN,ACK', { ack: 1 });
    expect(short(c('ACK', { seq: 1, ack: 1, data: 'fast' }))).to.equal('handshake-ack#1 + data#2');
  });
});

describe('flow tracker: data', () => {
  it('counts transmissions by octets, however they are cut', () => {
    const { c } = opened();
    const first = c('ACK', { data: 'aaaa' });
    const second = c('ACK', { data: 'bbbb' });
    expect(c('ACK', { seq: 1, data: 'aaaabbbb' })).to.include({ copy: 2, original: first.original });
    expect(c('ACK', { seq: 7, data: 'bb' })).to.include({ copy: 3, original: second.original });
    expect(c('ACK', { seq: 5, data: 'bb' })).to.include({ copy: 3, original: second.original });
    expect(c('ACK', { seq: 7, data: 'bbcccc' })).to.include({ copy: 4, original: second.original });
    expect(c('ACK', { seq: 13, data: 'd' })).to.include({ copy: 1 });
    expect(c('ACK', { seq: 9, data: 'cccc' })).to.include({ copy: 2 });
  });

  it('counts octets that were left out at first as new', () => {
    const { c } = opened();
    c('ACK', { seq: 11, data: 'later' });
    expect(c('ACK', { seq: 1, data: 'earlierone' }).copy).to.equal(1);
    expect(c('ACK', { seq: 1, data: 'earlieronelater' }).copy).to.equal(2);
    expect(c('ACK', { seq: 11, data: 'later' }).copy).to.equal(3);
  });

  it('counts equal pure ACKs as copies, and a window update as a new one', () => {
    const { c } = opened();
    expect(short(c('ACK', { ack: 1, window: 500 }))).to.equal('pure-ack');
    expect(short(c('ACK', { ack: 1, window: 500 }))).to.equal('pure-ack #2');
    expect(short(c('ACK', { ack: 1, window: 600 }))).to.equal('pure-ack');
    expect(short(c('ACK', { ack: 9, window: 600 }))).to.equal('pure-ack');
  });

  it('still knows a retransmission of what it has forgotten after thousands of segments', () => {
    const { c, s } = opened();
    for (let i = 0; i < 2000; i += 1) {
      c('ACK', { data: 'x'.repeat(1000) });
      if (i % 10 === 9) s('ACK');
    }
    expect(c('ACK', { seq: 1, data: 'x'.repeat(1000) }).copy).to.equal(2);
    expect(c('ACK', { data: 'new' })).to.include({ copy: 1, relSeq: 2_000_001 });
  });

  it('scales windows when both SYNs offered it, and never on a SYN', () => {
    const { c, s } = new Conversation();
    expect(c('SYN', { window: 100, options: windowScale(7) }).windowOctets).to.equal(100);
    expect(s('SYN,ACK', { window: 100, options: windowScale(3) }).windowOctets).to.equal(100);
    expect(c('ACK', { window: 100 }).windowOctets).to.equal(12_800);
    expect(s('ACK', { window: 100 }).windowOctets).to.equal(800);
    const unscaled = new Conversation();
    unscaled.c('SYN', { options: windowScale(7) });
    unscaled.s('SYN,ACK');
    expect(unscaled.c('ACK', { window: 100 }).windowOctets).to.equal(100);
  });
});

describe('flow tracker: the close', () => {
  it('names the four segments of a close, whoever closes first', () => {
    for (const [first, second] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const) {
      const talk = opened();
      expect(short(talk.say(first, 'FIN,ACK'))).to.equal('active-fin');
      expect(short(talk.say(second, 'ACK'))).to.equal('active-fin-ack + pure-ack');
      expect(short(talk.say(second, 'FIN,ACK'))).to.equal('passive-fin');
      expect(short(talk.say(first, 'ACK'))).to.equal('final-ack + pure-ack');
    }
  });

  it('joins the ACK of the first FIN and the second FIN in three segments, also when they come again', () => {
    const { c, s } = opened();
    c('FIN,ACK', { data: 'bye' });
    expect(short(s('FIN,ACK', { lost: true }))).to.equal('passive-fin + active-fin-ack');
    expect(short(s('FIN,ACK', { seq: 1 }))).to.equal('passive-fin + active-fin-ack #2');
    expect(short(c('ACK'))).to.equal('final-ack + pure-ack');
  });

  it('counts a FIN apart from the data that it rides on', () => {
    const { c } = opened();
    c('ACK', { data: 'last words', lost: true });
    expect(short(c('FIN,ACK', { seq: 1, data: 'last words' }))).to.equal('active-fin#1 + data#2');
    expect(short(c('FIN,ACK', { seq: 11 }))).to.equal('active-fin #2');
  });

  it('lets the other side send data behind the first FIN, and takes none of it for the ACK of the FIN', () => {
    const { c, s } = opened();
    c('FIN,ACK');
    s('ACK');
    expect(short(s('ACK', { data: 'there is more' }))).to.equal('data');
    expect(short(c('ACK'))).to.equal('pure-ack');
    expect(short(s('ACK', { window: 9 }))).to.equal('pure-ack');
    expect(short(s('FIN,ACK'))).to.equal('passive-fin');
    expect(short(c('ACK'))).to.equal('final-ack + pure-ack');
  });

  it('takes each answer to a retransmitted first FIN for another copy of its ACK', () => {
    const { c, s } = opened();
    c('FIN,ACK');
    const answer = s('ACK', { lost: true });
    expect(short(c('FIN,ACK', { seq: 1 }))).to.equal('active-fin #2');
    const again = s('ACK');
    expect(short(again)).to.equal('active-fin-ack + pure-ack #2');
    expect(again.original).to.equal(answer.original);
  });

  it('owes nothing once two FINs that came together were answered by one ACK', () => {
    const talk = doubled();
    expect(short(talk.s('ACK', { ack: 2 }))).to.equal('active-fin-ack + pure-ack');
    expect(short(talk.s('ACK', { ack: 2, window: 9 }))).to.equal('pure-ack');
  });

  it('takes two equal answers to two FINs that came together for copies', () => {
    const talk = doubled();
    talk.s('ACK', { ack: 2 });
    expect(short(talk.s('ACK', { ack: 2 }))).to.equal('active-fin-ack + pure-ack #2');
    expect(short(talk.s('ACK', { ack: 2 }))).to.equal('pure-ack #3');
  });

  it('takes each answer to a retransmitted last FIN for another copy of the final ACK', () => {
    const { c, s } = opened();
    c('FIN,ACK');
    s('ACK');
    s('FIN,ACK');
    const last = c('ACK', { lost: true });
    expect(short(s('FIN,ACK', { seq: 1 }))).to.equal('passive-fin #2');
    expect(short(c('ACK', { lost: true, window: 77 }))).to.equal('final-ack + pure-ack #2');
    s('FIN,ACK', { seq: 1 });
    const third = c('ACK');
    expect(short(third)).to.equal('final-ack + pure-ack #3');
    expect(third.original).to.equal(last.original);
  });

  it('calls both FINs active that crossed, and the ACK of the one acknowledged last the final ACK', () => {
    const { c, s } = opened();
    expect(short(c('FIN,ACK', { held: true }))).to.equal('active-fin');
    expect(short(s('FIN,ACK', { held: true }))).to.equal('active-fin');
    expect(short(c('ACK', { ack: 2 }))).to.equal('active-fin-ack + pure-ack');
    expect(short(s('ACK', { ack: 2 }))).to.equal('final-ack + pure-ack');
  });

  it('counts a FIN that comes again and answers the other FIN as both', () => {
    const { c, s } = opened();
    c('FIN,ACK', { lost: true });
    s('FIN,ACK');
    expect(short(c('ACK', { ack: 2 }))).to.equal('active-fin-ack + pure-ack');
    expect(short(c('FIN,ACK', { seq: 1, ack: 2 }))).to.equal('active-fin #2');
    expect(short(s('ACK', { ack: 2 }))).to.equal('final-ack + pure-ack');
  });

  it('keeps the role of a FIN whatever its sender has been given since', () => {
    const { c, s } = opened();
    c('FIN,ACK', { lost: true });
    s('FIN,ACK');
    expect(short(c('FIN,ACK', { seq: 1, ack: 2 }))).to.equal('active-fin#2 + active-fin-ack#1');
  });

  it('knows from the acknowledgment that a FIN was delivered when nobody said so', () => {
    const { c, s } = opened();
    c('FIN,ACK', { held: true });
    expect(short(s('FIN,ACK', { ack: 2 }))).to.equal('passive-fin + active-fin-ack');
  });
});

describe('flow tracker: resets and probes', () => {
  it('calls a RST nothing but a RST, and counts those with the same number', () => {
    const { c, s } = opened();
    s('FIN,ACK');
    expect(short(c('RST,ACK', { data: 'why' }))).to.equal('rst');
    expect(short(c('RST', { seq: 1 }))).to.equal('rst #2');
    expect(short(c('RST', { seq: 2 }))).to.equal('rst');
  });

  for (const data of ['', 'g']) {
    it(`knows a keep-alive with ${data.length} octets, and counts those in a row that nothing answered`, () => {
      const { c, s } = opened();
      c('ACK', { data: 'abc' });
      s('ACK');
      expect(short(c('ACK', { seq: 3, data, lost: true }))).to.equal('keep-alive');
      expect(short(c('ACK', { seq: 3, data }))).to.equal('keep-alive #2');
      s('ACK');
      expect(short(c('ACK', { seq: 3, data }))).to.equal('keep-alive');
      expect(short(c('ACK', { data: 'def' }))).to.equal('data');
    });
  }

  it('does not take the retransmission of one octet for a keep-alive while its ACK has not been delivered', () => {
    const { c, s } = opened();
    c('ACK', { data: 'a' });
    s('ACK', { lost: true });
    expect(short(c('ACK', { seq: 1, data: 'a' }))).to.equal('data #2');
  });

  it('calls the same segment a window probe when the window that was delivered is 0', () => {
    const { c, s } = opened();
    c('ACK', { data: 'full' });
    s('ACK', { window: 0, held: true });
    expect(short(c('ACK', { seq: 5 }))).to.equal('pure-ack');
    const talk = opened();
    talk.c('ACK', { data: 'full' });
    talk.s('ACK', { window: 0 });
    expect(short(talk.c('ACK', { seq: 4, lost: true }))).to.equal('window-probe');
    expect(short(talk.c('ACK', { seq: 4 }))).to.equal('window-probe #2');
    talk.s('ACK', { window: 0 });
    expect(short(talk.c('ACK', { seq: 4 }))).to.equal('window-probe');
    talk.s('ACK', { window: 4000 });
    expect(short(talk.c('ACK', { data: 'on' }))).to.equal('data');
  });

  it('knows a window probe of one octet beyond the window, which is data as well', () => {
    const { c, s } = opened();
    c('ACK', { data: 'full' });
    s('ACK', { window: 0 });
    expect(short(c('ACK', { data: 'n' }))).to.equal('window-probe + data');
    expect(short(c('ACK', { seq: 5, data: 'n' }))).to.equal('window-probe + data #2');
  });
});

describe('flow tracker: several connections', () => {
  it('numbers connections in the order of their first segment and keeps them apart', () => {
    const tracker = new FlowTracker();
    const talks = Array.from({ length: 100 }, (_, i) => new Conversation({ tracker, clientPort: 1000 + i }));
    expect(talks.map((talk) => talk.c('SYN').flow)).to.deep.equal(talks.map((_, i) => i + 1));
    for (const talk of talks) talk.s('SYN,ACK');
    for (const [i, talk] of talks.entries()) {
      expect(talk.c('ACK')).to.include({ flow: i + 1, relSeq: 1, relAck: 1, copy: 1 });
    }
  });

  it('takes a SYN with a new number on the same ports for a new connection', () => {
    const tracker = new FlowTracker();
    new Conversation({ tracker }).open();
    const again = new Conversation({ tracker, iss: { client: 7, server: 9 } });
    expect(again.c('SYN')).to.include({ flow: 2, copy: 1, relSeq: 0 });
    expect(short(again.s('SYN,ACK'))).to.equal('syn-ack');
    expect(short(again.c('ACK'))).to.equal('handshake-ack + pure-ack');
  });

  it('takes a SYN with the old number for a new connection once the old one was reset', () => {
    const tracker = new FlowTracker();
    const first = new Conversation({ tracker });
    first.c('SYN');
    first.s('RST,ACK', { lost: true });
    expect(first.c('SYN', { seq: 0 })).to.include({ flow: 1, copy: 2 });
    first.s('RST,ACK', { ack: 1 });
    expect(new Conversation({ tracker }).c('SYN')).to.include({ flow: 2, copy: 1 });
  });

  it('keeps an old duplicate SYN and what answers it apart from the connection that goes on (RFC 9293, figure 9)', () => {
    const tracker = new FlowTracker();
    const fresh = new Conversation({ tracker, iss: { client: 0x5000_0000, server: 0x9000_0000 } });
    const old = new Conversation({ tracker, iss: { client: 0x1000_0000, server: 0xd000_0000 } });
    expect(fresh.c('SYN', { held: true }).flow).to.equal(1);
    expect(old.c('SYN').flow).to.equal(2);
    expect(old.s('SYN,ACK').flow).to.equal(2);
    expect(old.c('RST').flow).to.equal(2);
    fresh.arriveLate();
    expect(fresh.s('SYN,ACK').flow).to.equal(1);
    expect(fresh.c('ACK')).to.include({ flow: 1, relSeq: 1, relAck: 1 });
  });

  it('tells the segments of an older connection of the same ports by their numbers', () => {
    const tracker = new FlowTracker();
    const old = new Conversation({ tracker, iss: { client: 0x1000_0000, server: 0xd000_0000 } }).open();
    const fresh = new Conversation({ tracker, iss: { client: 0x5000_0000, server: 0x9000_0000 } });
    fresh.c('SYN');
    // The challenge ACK of a half-open connection (RFC 5961) speaks of the old numbers.
    expect(old.s('ACK')).to.include({ flow: 1, relSeq: 1 });
    expect(old.c('RST')).to.include({ flow: 1 });
    expect(fresh.c('SYN', { seq: 0 })).to.include({ flow: 2, copy: 2 });
  });

  it('follows a connection whose start it has not seen, without relative numbers', () => {
    const { c, s } = new Conversation();
    expect(c('ACK', { seq: 1000, ack: 500, data: 'abc' })).to.include({
      flow: 1,
      copy: 1,
      relSeq: undefined,
      relAck: undefined,
    });
    s('ACK', { seq: 500, ack: 1003 });
    expect(short(c('ACK', { seq: 1000, data: 'abc' }))).to.equal('data #2');
    expect(short(c('FIN,ACK'))).to.equal('active-fin');
    expect(short(s('FIN,ACK', { ack: 1004 }))).to.equal('passive-fin + active-fin-ack');
    expect(short(c('ACK', { ack: 501 }))).to.equal('final-ack + pure-ack');
  });

  it('looks at a forged segment without counting it', () => {
    const talk = opened();
    talk.c('ACK', { data: 'abc' });
    const forged = talk.arrival('client', 'ACK', { seq: 1, data: 'abc' });
    expect(short(talk.tracker.look(forged))).to.equal('data #2');
    expect(short(talk.tracker.look(forged))).to.equal('data #2');
    expect(short(talk.c('ACK', { seq: 1, data: 'abc' }))).to.equal('data #2');
  });

  it('lets a forged SYN begin the connection that its answer belongs to', () => {
    const talk = opened();
    talk.c('RST,ACK');
    const old = talk.arrival('client', 'SYN', { seq: 0 });
    expect(talk.tracker.look(old).flow).to.equal(2);
    // ISNs of the same ports lie near each other: the numbers alone would say that it answers the first SYN.
    const answer = talk.arrival('server', 'SYN,ACK', { seq: 5000, ack: 1 });
    expect(talk.tracker.arrive(answer).flow).to.equal(2);
  });

  it('remembers a bounded number of connections and goes on numbering them', () => {
    const tracker = new FlowTracker();
    for (let i = 0; i < MAX_FLOWS + 10; i += 1) new Conversation({ tracker, clientPort: i }).c('SYN');
    expect(new Conversation({ tracker, clientPort: MAX_FLOWS }).c('SYN')).to.include({
      flow: MAX_FLOWS + 1,
      copy: 2,
    });
    expect(new Conversation({ tracker, clientPort: 0 }).c('SYN')).to.include({
      flow: MAX_FLOWS + 11,
      copy: 1,
    });
  });
});
