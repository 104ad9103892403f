import { expect } from 'chai';
import { traceOf } from '../trace/index.js';
import { givesUp } from './giving-up.js';
import { backsOff, firstTimeout, isRepeated } from './retransmission.js';
import * as story from './stories.fixture.js';
import { growthOf, parseSegmentName, transmissionsOf } from './transmissions.js';

describe('gaps between transmissions', () => {
  for (const [gapsMs, kind, evenLead] of [
    [[200, 400, 800], 'doubles', 0],
    [[204, 408, 880], 'doubles', 0],
    [[208, 208, 416], 'doubles', 1],
    [[1000, 1024, 1024], 'even', 2],
    [[400, 200], 'shrinks', 0],
    [[200, 800], 'uneven', 0],
    [[30_000, 60_000, 60_000], 'doubles', 0],
    [[60_000, 120_000, 120_000], 'doubles', 0],
  ] as const) {
    it(`of ${gapsMs.join(', ')} ms: ${kind}, ${evenLead} even at first`, () => {
      const growth = growthOf(gapsMs);
      expect([growth.kind, growth.evenLead]).to.deep.equal([kind, evenLead]);
    });
  }
});

describe('backoff', () => {
  const verdict = (gapsMs: readonly number[]) =>
    backsOff('active-fin').judge(story.lostActiveFin(gapsMs)).verdict;

  it('of a FIN may have a tail loss probe first, at any time before the RTO', () => {
    expect(verdict([204, 208, 416])).to.equal('pass');
    expect(verdict([6, 204, 408])).to.equal('pass');
  });

  it('of a FIN cannot be told from two gaps that may be a probe and one time-out', () => {
    expect(verdict([204, 208])).to.equal('inconclusive');
    expect(verdict([204])).to.equal('inconclusive');
  });

  it('of a FIN fails at even distances', () => {
    expect(verdict([204, 208, 208, 208])).to.equal('fail');
  });

  it('of a SYN at even distances first is not strict: RFC 1122 says SHOULD, and Linux does so', () => {
    const linux = backsOff('client.syn').judge(story.lostSyn([1010, 1024, 1024, 1024, 1024, 2048]));
    expect(linux.verdict).to.equal('non-strict');
    expect(linux.finding).to.include('5 gaps of even length, then doubling');
    expect(backsOff('client.syn').judge(story.lostSyn([1010, 1024])).verdict).to.equal('non-strict');
    expect(backsOff('client.syn').judge(story.lostSyn([4000, 2000])).verdict).to.equal('fail');
  });

  it('leaves out gaps in which the sender was given something', () => {
    const trace = traceOf(
      'client SYN',
      'server SYN,ACK, dropped by f1',
      '+1000 client SYN again',
      'server SYN,ACK again, dropped by f1',
      '+2000 client SYN again',
      'server SYN,ACK again',
    );
    expect(backsOff('server.syn-ack').judge(trace).verdict).to.equal('inconclusive');
  });
});

describe('a repeat', () => {
  it('of data may be joined with its neighbours, and must carry the same octets', () => {
    const lines = [
      ...story.OPENING,
      'client PSH,ACK "one", dropped by f1',
      'client PSH,ACK "two", dropped by f1',
    ];
    expect(
      isRepeated('data').judge(traceOf(...lines, '+204 client PSH,ACK "onetwo" seq=1')).verdict,
    ).to.equal('pass');
    expect(
      isRepeated('data').judge(traceOf(...lines, '+204 client PSH,ACK "onEtwo" seq=1')).verdict,
    ).to.equal('fail');
  });

  it('that never comes fails only when the run went on for long enough', () => {
    const lost = ['client SYN, dropped by f1'];
    expect(isRepeated('client.syn').judge(traceOf(...lost, '+1000 mark end')).verdict).to.equal(
      'inconclusive',
    );
    expect(isRepeated('client.syn').judge(traceOf(...lost, '+10000 mark end')).verdict).to.equal('fail');
  });

  it('of a SYN after 3 s is not strict, and of a FIN within a round trip is wrong', () => {
    expect(firstTimeout('client.syn').judge(story.lostSyn([3020, 6040])).verdict).to.equal('non-strict');
    expect(firstTimeout('active-fin').judge(story.lostActiveFin([0.05, 400])).verdict).to.equal('fail');
  });
});

describe('the first time-out', () => {
  const repeatedAfter = (given: string) =>
    firstTimeout('client.fin').judge(
      traceOf(
        ...story.OPENING,
        'server PSH,ACK "pong"',
        'client FIN,ACK, dropped by f1',
        `+204 ${given}`,
        '+800 client FIN,ACK again',
      ),
    ).verdict;

  it('is a timer’s also where data came again meanwhile: that is no duplicate ACK (RFC 5681)', () => {
    expect(repeatedAfter('server PSH,ACK "pong" again')).to.equal('pass');
  });

  it('may have another reason where the sender was given an ACK', () => {
    expect(repeatedAfter('server ACK')).to.equal('inconclusive');
  });
});

describe('giving up', () => {
  it('fails after more repeats than the settings allow', () => {
    const trace = story.lostSyn([1010, 2030, 4060]);
    expect(givesUp('client.syn', { atMost: 3 }).judge(trace).verdict).to.equal('pass');
    expect(givesUp('client.syn', { atMost: 2 }).judge(trace).verdict).to.equal('fail');
  });

  it('is inconclusive while the stack goes on', () => {
    const trace = traceOf(
      'client SYN, dropped by f1',
      '+1000 client SYN again, dropped by f1',
      '+500 mark end',
    );
    expect(givesUp('client.syn').judge(trace).verdict).to.equal('inconclusive');
  });
});

describe('the name of a segment', () => {
  it('is a role, with or without its sender', () => {
    expect(parseSegmentName('server.fin')).to.deep.equal({
      from: 'server',
      roles: ['active-fin', 'passive-fin'],
    });
    expect(parseSegmentName('syn-ack')).to.deep.equal({ roles: ['syn-ack'] });
    expect(() => parseSegmentName('server.finn')).to.throw(
      RangeError,
      /no segment is called "server.finn": write fin, syn/,
    );
  });

  it('finds the FIN of a side whichever closed first', () => {
    expect(transmissionsOf(story.closed(), 'server.fin', 1)?.first.facts.roles).to.include('passive-fin');
    expect(transmissionsOf(story.closed(), 'client.fin', 1)?.first.facts.roles).to.include('active-fin');
    expect(transmissionsOf(story.closed(), 'client.rst', 1)).to.equal(undefined);
  });
});
