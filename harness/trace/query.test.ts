import { expect } from 'chai';
import { traceOf, traceWith } from './fixture.js';
import {
  callsOf,
  deliveredAtNs,
  endNs,
  fateOf,
  firstSegment,
  gaps,
  indexesOf,
  lastSegment,
  marksOf,
  msBetween,
  type SegmentQuery,
  segmentsOf,
} from './query.js';

const trace = traceWith(
  { faults: { loss: 'drop final-ack once', late: 'delay 1st data by 30ms' } },
  'client connect()',
  'client SYN',
  'server SYN,ACK',
  'client ACK',
  'client PSH,ACK "hi", delayed 30 by late',
  'mark the other side closes',
  '@100 client FIN,ACK',
  'server ACK',
  'server FIN,ACK',
  'client ACK, dropped by loss',
  '+200 server FIN,ACK again',
  '+400 server FIN,ACK again',
  'client ACK',
  'client receive() = end took 5',
);

describe('segmentsOf', () => {
  const cases: readonly [string, SegmentQuery, number][] = [
    ['all', {}, 11],
    ['by side', { from: 'server' }, 5],
    ['by role', { role: 'passive-fin' }, 3],
    ['by one of several roles', { role: ['syn', 'syn-ack'] }, 2],
    ['by copy', { role: 'passive-fin', copy: 2 }, 1],
    ['only the repeats', { role: 'passive-fin', copy: 'repeats' }, 2],
    ['by exact flags', { flags: 'FIN,ACK' }, 4],
    ['by flags as names', { flags: ['ACK', 'SYN'] }, 1],
    ['by flags that must be there', { has: 'FIN' }, 4],
    ['by flags that must not be there', { lacks: 'ACK' }, 1],
    ['by data', { data: true }, 1],
    ['by relative numbers', { relSeq: 1, relAck: 1 }, 2],
    ['by fate', { fate: 'dropped' }, 1],
    ['by fault', { fault: 'late' }, 1],
    ['touched by any fault', { fault: true }, 2],
    ['from an instant on', { after: 100_000_000 }, 7],
    ['before an instant', { before: 100_000_000 }, 4],
    ['of a flow that is not there', { flow: 2 }, 0],
  ];
  for (const [name, query, count] of cases)
    it(`picks ${name}`, () => expect(segmentsOf(trace, query)).to.have.lengthOf(count));

  it('leaves out the event that it is asked to start after', () => {
    const fin = firstSegment(trace, { role: 'passive-fin' });
    expect(fin).to.not.equal(undefined);
    expect(segmentsOf(trace, { role: 'passive-fin', after: fin ?? 0 })).to.have.lengthOf(2);
  });

  it('rejects a flag that does not exist', () => {
    expect(() => segmentsOf(trace, { has: 'FINE' })).to.throw('no TCP flag');
  });
});

describe('the other questions', () => {
  it('measures the gaps between copies in milliseconds', () => {
    expect(gaps(segmentsOf(trace, { role: 'passive-fin' }))).to.deep.equal([200.1, 400]);
    expect(gaps([])).to.deep.equal([]);
  });

  it('tells fates, and when a segment was delivered', () => {
    const [data] = segmentsOf(trace, { data: true });
    const lost = lastSegment(trace, { fault: 'loss' });
    expect(data && lost && [fateOf(data), fateOf(lost)]).to.deep.equal(['delivered', 'dropped']);
    expect(data && msBetween(data, deliveredAtNs(data) ?? 0)).to.equal(30.05);
    expect(lost && deliveredAtNs(lost)).to.equal(undefined);
    const [held] = segmentsOf(traceOf('client SYN, held by f1'));
    expect(held && fateOf(held)).to.equal('held');
  });

  it('picks calls and marks', () => {
    expect(callsOf(trace, 'client').map(({ call }) => call)).to.deep.equal(['connect', 'receive']);
    expect(callsOf(trace, 'client', { result: 'end' })).to.have.lengthOf(1);
    expect(callsOf(trace, 'server')).to.deep.equal([]);
    expect(marksOf(trace).map(({ text }) => text)).to.deep.equal(['the other side closes']);
  });

  it('finds the end of the run, the return of the last call included', () => {
    expect(endNs(trace)).to.equal(Math.max(...trace.events.map(({ atNs }) => atNs)) + 5_000_000);
  });

  it('gives evidence as indexes', () => {
    expect(indexesOf(trace, segmentsOf(trace, { has: 'SYN' }))).to.deep.equal([1, 2]);
  });
});
