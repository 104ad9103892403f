import { expect } from 'chai';
import { data, fin, finalAck, handshakeAck, not, pureAck, segment, syn, synAck } from './builders.js';
import { Conversation, type Say } from './conversation.fixture.js';
import type { Side } from './flow.js';
import type { Match } from './match.js';
import { Matcher } from './matcher.js';

type Line = readonly [Side, string, Say?];

/** The places (from 1) of the segments that a match picks. */
function picked(match: Match, lines: readonly Line[]): number[] {
  const talk = new Conversation();
  const matcher = new Matcher(match);
  return lines.flatMap(([from, flags, say], i) => {
    const arrival = talk.arrival(from, flags, say);
    const facts = talk.tracker.arrive(arrival);
    if (!say?.lost) talk.give(arrival);
    return matcher.test(arrival, facts) ? [i + 1] : [];
  });
}

const session: readonly Line[] = [
  ['client', 'SYN', { options: [{ kind: 'mss', mss: 1460 }], atMs: 0 }],
  ['server', 'SYN,ACK', { options: [{ kind: 'mss', mss: 1400 }], atMs: 1 }],
  ['client', 'ACK', { atMs: 2 }],
  ['client', 'PSH,ACK', { data: 'GET /one', atMs: 3 }],
  ['server', 'ACK', { atMs: 4 }],
  ['client', 'PSH,ACK', { data: 'GET /two', lost: true, atMs: 10 }],
  ['client', 'PSH,ACK', { seq: 9, data: 'GET /two', atMs: 210 }],
  ['server', 'PSH,ACK', { data: 'reply', window: 100, atMs: 211 }],
  ['client', 'FIN,ACK', { lost: true, atMs: 300 }],
  ['client', 'FIN,ACK', { seq: 17, atMs: 500 }],
  ['server', 'FIN,ACK', { atMs: 501 }],
  ['client', 'ACK', { lost: true, atMs: 502 }],
  ['server', 'FIN,ACK', { seq: 6, atMs: 702 }],
  ['client', 'ACK', { atMs: 703 }],
];

const cases: readonly (readonly [string, Match, readonly number[]])[] = [
  ['everything without clauses', segment(), session.map((_, i) => i + 1)],
  ['a role in every copy', finalAck(), [12, 14]],
  ['a role from a side', fin().from('server'), [11, 13]],
  ['a role to a side', fin().to('server'), [9, 10]],
  ['a role of either FIN', fin(), [9, 10, 11, 13]],
  ['nothing of the other side', finalAck().from('server'), []],
  ['the first only', fin().first(), [9]],
  ['the first two only', fin().first(2), [9, 10]],
  ['a transmission', fin().copy(2), [10, 13]],
  ['several transmissions', data().copy([1, 2]), [4, 6, 7, 8]],
  ['all transmissions but the first', data().retransmissions(), [7]],
  ['an ordinal, by its first transmission', data().ordinal(2), [6]],
  ['an ordinal in every copy', data().ordinal(2).everyCopy(), [6, 7]],
  ['a copy of an ordinal', data().ordinal(2).copy(2), [7]],
  ['an ordinal counted among first transmissions only', data().ordinal(3), [8]],
  ['an ordinal among what one side sends', data().from('server').ordinal(1), [8]],
  ['ordinals from one on', data().ordinal({ from: 2 }), [6, 8]],
  ['an ordinal of FINs', fin().ordinal(2).everyCopy(), [11, 13]],
  ['flags that are set', segment().withFlags('SYN'), [1, 2]],
  ['flags that are not set', segment().withFlags('SYN').withoutFlags('ACK'), [1]],
  ['exactly these flags', segment().withExactly('ACK'), [3, 5, 12, 14]],
  ['a relative sequence number', segment().from('client').atSeq(9), [6, 7]],
  ['a range of relative acknowledgment numbers', segment().from('server').atAck({ from: 18 }), [11, 13]],
  ['an octet within the segment', segment().from('client').covering(8), [4]],
  ['a window', segment().withWindow(100), [8]],
  ['an option', segment().withOptions('mss'), [1, 2]],
  ['the absence of an option', segment().withFlags('ACK').withoutOptions('mss').first(), [3]],
  ['the value of an option', segment().withOptionValues({ mss: 1400 }), [2]],
  ['a length of data', segment().ofLength(5), [8]],
  ['text in the data', data().containing('two'), [6, 7]],
  ['octets in the data', data().containing(Uint8Array.of(0x2f, 0x6f)), [4]],
  ['a flow', syn().inFlow(1), [1]],
  ['no other flow', syn().inFlow(2), []],
  ['what comes after the first of an event', data().after(fin()), []],
  ['what comes after an event, not the event', pureAck().after(handshakeAck()), [5, 12, 14]],
  ['a time after an event', fin().after(fin().from('client'), { atLeastMs: 200 }), [10, 11, 13]],
  ['a time within an event', fin().after(fin().from('client'), { atMostMs: 201 }), [10, 11]],
  ['a time since the start', segment().after('start', { atLeastMs: 703 }), [14]],
  ['what acknowledges a segment, and no part of it', pureAck().acknowledging(data().ordinal(1)), [5]],
  ['all of several', data().and(segment().from('server')), [8]],
  ['any of several', syn().or(synAck()), [1, 2]],
  ['an ordinal of any of several', syn().or(synAck(), data()).ordinal(4), [6]],
  ['all but some', fin().butNot(fin().copy(1)), [10, 13]],
  ['everything but some', not(not(syn())), [1]],
];

describe('matcher', () => {
  for (const [what, match, places] of cases) {
    it(`picks ${what}`, () => expect(picked(match, session)).to.deep.equal(places));
  }

  it('knows a copy by the part that is asked for when data and a FIN share a segment', () => {
    const lines: readonly Line[] = [
      ['client', 'SYN'],
      ['server', 'SYN,ACK'],
      ['client', 'ACK'],
      ['client', 'PSH,ACK', { data: 'abc', lost: true }],
      ['client', 'FIN,ACK', { seq: 1, data: 'abc' }],
    ];
    expect(picked(fin().copy(1), lines)).to.deep.equal([5]);
    expect(picked(fin().ordinal(1), lines)).to.deep.equal([5]);
    expect(picked(data().copy(2), lines)).to.deep.equal([5]);
    expect(picked(data().copy(1), lines)).to.deep.equal([4]);
  });

  it('takes the start of the wire from its options', () => {
    const talk = new Conversation();
    const arrival = talk.arrival('client', 'SYN', { atMs: 1005 });
    const facts = talk.tracker.arrive(arrival);
    const soon = syn().after('start', { atMostMs: 10 });
    expect(new Matcher(soon).test(arrival, facts)).to.equal(false);
    expect(new Matcher(soon, { startNs: 1000e6 }).test(arrival, facts)).to.equal(true);
  });
});
