import { expect } from 'chai';
import { traceWith } from './fixture.js';
import { firstSegment, segmentsOf } from './query.js';
import { ordinal, rolesText, segmentRemark } from './words.js';

describe('words', () => {
  it('counts in ordinals', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).join(' ')).to.equal(
      '1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th',
    );
  });

  it('names a fault by its number in the plan where its text is its only name, else by its id', () => {
    const trace = traceWith(
      { faults: { 'drop rst': 'drop rst', 'drop syn once': 'drop syn once', slow: 'delay data by 5ms' } },
      'client SYN, dropped by drop syn once',
      'client SYN again',
      'server SYN,ACK',
      'client ACK "a", delayed 5 by slow',
    );
    expect(segmentsOf(trace).map((event) => segmentRemark(event, trace))).to.deep.equal([
      'SYN, dropped by fault 2 (drop syn once)',
      'SYN, 2nd copy',
      'SYN,ACK',
      'handshake ACK and data, delayed by 5 ms by fault slow (delay data by 5ms)',
    ]);
  });

  it('tells the copies of each role where they differ', () => {
    const trace = traceWith({}, 'client SYN');
    const facts = firstSegment(trace)?.facts;
    const parts = [{ role: 'data' as const, copy: 2, original: 1 }];
    expect(facts && rolesText({ ...facts, roles: ['data', 'active-fin'], parts })).to.equal(
      'data, 2nd copy and FIN of the active closer',
    );
  });

  it('says of what a scenario injected or a fault kept that it did', () => {
    const trace = traceWith({}, 'client RST user', 'client SYN, held by f1');
    expect(segmentsOf(trace).map((event) => segmentRemark(event, trace))).to.deep.equal([
      'RST, injected by the scenario',
      'SYN, held by fault 1 (f1), held until the end',
    ]);
  });
});
