import { expect } from 'chai';
import { traceOf } from './fixture.js';
import { connectionsOf, stateAt, statesOf, staysOf, transitionsOf } from './states.js';

describe('statesOf', () => {
  it('lists what a connection went through, without the state it came from', () => {
    const trace = traceOf('server LISTEN', 'server SYN-RECEIVED', 'server ESTABLISHED', 'server CLOSED');
    expect(statesOf(trace, 'server')).to.deep.equal(['SYN-RECEIVED', 'ESTABLISHED', 'CLOSED']);
    expect(statesOf(trace, 'client')).to.deep.equal([]);
  });

  it('shows both ends of a step that nobody saw', () => {
    const trace = traceOf('client SYN-SENT', 'client FIN-WAIT-1', 'client TIME-WAIT');
    const seen = { ...trace, events: trace.events.filter((_, i) => i !== 1) };
    expect(statesOf(seen, 'client')).to.deep.equal(['SYN-SENT', 'FIN-WAIT-1', 'TIME-WAIT']);
  });

  it('starts with the first known state of a connection whose opening nobody saw', () => {
    const trace = traceOf('client ESTABLISHED', 'client FIN-WAIT-1', 'client FIN-WAIT-2');
    const seen = { ...trace, events: trace.events.slice(1) };
    expect(statesOf(seen, 'client')).to.deep.equal(['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2']);
  });

  it('tells connections apart by flow and by port', () => {
    const trace = traceOf(
      'client#1 SYN-SENT',
      'client#1 SYN',
      'client#2 SYN-SENT',
      'client#2 SYN',
      'client#2 ESTABLISHED',
      'client#1 CLOSED',
    );
    expect(statesOf(trace, 'client')).to.deep.equal(['SYN-SENT', 'CLOSED']);
    expect(statesOf(trace, 'client', { flow: 2 })).to.deep.equal(['SYN-SENT', 'ESTABLISHED']);
    expect(statesOf(trace, 'client', { localPort: 40002 })).to.deep.equal(['SYN-SENT', 'ESTABLISHED']);
    expect(statesOf(trace, 'client', { flow: 3 })).to.deep.equal([]);
  });

  it('takes a port pair that is used again for another connection, and finds its flow', () => {
    const trace = traceOf(
      'client SYN-SENT',
      'client SYN',
      'server RST,ACK',
      'client CLOSED',
      '+1000 client SYN-SENT',
      'client SYN seq=70000',
      'client CLOSED',
    );
    expect(
      connectionsOf(trace, 'client').map(({ flow, transitions }) => [flow, transitions.length]),
    ).to.deep.equal([
      [1, 2],
      [2, 2],
    ]);
  });
});

describe('stateAt', () => {
  const trace = traceOf('client SYN-SENT', '@10 client ESTABLISHED', '@20 client CLOSED');

  it('holds from a transition to the next', () => {
    expect([0, 9_999_999, 10_000_000, 99e6].map((atNs) => stateAt(trace, 'client', atNs))).to.deep.equal([
      'SYN-SENT',
      'SYN-SENT',
      'ESTABLISHED',
      'CLOSED',
    ]);
  });

  it('is the state before the first transition before that, and unknown when nobody watched', () => {
    expect(stateAt(trace, 'client', -1)).to.equal('CLOSED');
    expect(stateAt(trace, 'server', 0)).to.equal(undefined);
  });
});

describe('staysOf', () => {
  it('measures a stay, with the bounds of what was not seen itself', () => {
    const trace = traceOf('client TIME-WAIT', '@60000 client CLOSED bounded 250');
    const [stay] = staysOf(trace, 'client', 'TIME-WAIT');
    expect(stay).to.include({ lastedMs: 60_000, atLeastMs: 59_750, atMostMs: 60_000, certainty: 'bounded' });
  });

  it('leaves the length of a stay open that the run did not see the end of', () => {
    const trace = traceOf('client TIME-WAIT');
    expect(staysOf(trace, 'client', 'TIME-WAIT')).to.deep.equal([
      { state: 'TIME-WAIT', entered: transitionsOf(trace, 'client')[0], certainty: 'exact' },
    ]);
  });
});
