import { expect } from 'chai';
import { decode } from '../segment/index.js';
import { traceOf, traceWith } from './fixture.js';
import { segmentsOf, type TcpEvent } from './query.js';
import { statesOf } from './states.js';
import { segmentText } from './words.js';

const texts = (events: readonly TcpEvent[]) => events.map(segmentText);

describe('traceOf', () => {
  it('numbers segments by what was sent and delivered before', () => {
    const trace = traceOf(
      'client SYN',
      'server SYN,ACK',
      'client PSH,ACK "hello"',
      'server ACK',
      'client FIN,ACK',
    );
    expect(texts(segmentsOf(trace))).to.deep.equal([
      'SYN seq=0 win=64240 len=0 mss=1460',
      'SYN,ACK seq=0 ack=1 win=64240 len=0 mss=1460',
      'PSH,ACK seq=1 ack=1 win=64240 len=5',
      'ACK seq=1 ack=6 win=64240 len=0',
      'FIN,ACK seq=6 ack=1 win=64240 len=0',
    ]);
  });

  it('does not acknowledge what was dropped, and sends it again from where it was', () => {
    const trace = traceOf(
      'client SYN',
      'server SYN,ACK',
      'client ACK "a", dropped by f1',
      'server ACK',
      '+200 client ACK "a" again',
      'server ACK',
    );
    expect(texts(segmentsOf(trace, { from: 'server', lacks: 'SYN' }))).to.deep.equal([
      'ACK seq=1 ack=1 win=64240 len=0',
      'ACK seq=1 ack=2 win=64240 len=0',
    ]);
    expect(segmentsOf(trace, { role: 'data' }).map(({ facts }) => facts.copy)).to.deep.equal([1, 2]);
    expect(trace.receipts).to.deep.equal([{ fault: 'f1', text: 'f1', matched: 1, acted: 1, arrivals: [3] }]);
  });

  it('makes packets whose checksums are right, in both IP versions', () => {
    for (const ipVersion of [4, 6] as const) {
      const trace = traceWith({ ipVersion }, 'client SYN', 'server SYN,ACK', 'client ACK "hello"');
      const checked = segmentsOf(trace).map(({ packet }) => decode(packet));
      expect(checked.map((each) => (each.kind === 'segment' ? each.checksumOk : each.kind))).to.deep.equal(
        Array(3).fill({ ip: true, tcp: true }),
      );
    }
  });

  it('places lines in time: absolute, relative, and a tenth of a millisecond apart', () => {
    const trace = traceOf('client SYN', 'mark waits', '@10 client RST', '+2.5 client RST');
    expect(trace.events.map(({ atNs }) => atNs)).to.deep.equal([0, 100_000, 10_000_000, 12_500_000]);
  });

  it('takes states, certainties, calls and roles as written', () => {
    const trace = traceOf(
      'client SYN-SENT',
      'client ESTABLISHED bounded 5',
      'client connect() = ECONNREFUSED took 3',
      'server RST [rst keep-alive] copy=3 peer',
    );
    expect(statesOf(trace, 'client')).to.deep.equal(['SYN-SENT', 'ESTABLISHED']);
    expect(trace.events[1]).to.include({ certainty: 'bounded', notBeforeNs: -4_900_000 });
    expect(trace.events[2]).to.deep.include({
      result: { kind: 'error', errno: 'ECONNREFUSED' },
      returnedNs: 3_200_000,
    });
    expect(trace.events[3]).to.include({ origin: 'peer' });
    expect(segmentsOf(trace)[0]?.facts).to.deep.include({ roles: ['rst', 'keep-alive'], copy: 3 });
  });

  it('says what is wrong with a line', () => {
    expect(() => traceOf('nobody SYN')).to.throw('fixture line "nobody SYN": write');
    expect(() => traceOf('client SYN twice')).to.throw('fixture segment "SYN twice": what is "twice"?');
    expect(() => traceOf('client SYN, eaten')).to.throw('fixture fate "eaten": write');
    expect(() => traceOf('client ESTABLISHED maybe')).to.throw('"maybe" is neither');
  });
});
