import { expect } from 'chai';
import { traceOf } from '../trace/index.js';
import './chai.js';
import { staysInLastAck } from './last-ack.js';
import { backsOff, isRepeated } from './retransmission.js';
import * as story from './stories.fixture.js';

const message = (assertion: () => unknown): string => {
  try {
    assertion();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'no error';
};

describe('expect(trace)', () => {
  const trace = story.finalAckLost();

  it('to have states: those that follow one another, with optional ones', () => {
    expect(trace).to.have.states('server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
    expect(trace).to.have.states('client', ['FIN-WAIT-1', 'FIN-WAIT-2?', 'CLOSING?', 'TIME-WAIT']);
    expect(trace).to.not.have.states('client', ['FIN-WAIT-1', 'TIME-WAIT']);
    expect(trace).to.not.have.states('client', ['FIN-WAIT-1', 'CLOSING']);
  });

  it('to have states: fails with the states there were and the events that show them', () => {
    const text = message(() => expect(trace).to.have.states('server', ['ESTABLISHED', 'LAST-ACK']));
    expect(text).to.include('LISTEN, SYN-RECEIVED, ESTABLISHED, CLOSE-WAIT, LAST-ACK, CLOSED');
    expect(text).to.include('CLOSE-WAIT -> LAST-ACK');
    expect(text.split('\n').length).to.be.lessThan(17);
  });

  it('to have states: fails, negated or not, where nobody watched or the run ended too soon', () => {
    const blind = traceOf('client SYN');
    expect(message(() => expect(blind).to.have.states('client', ['SYN-SENT']))).to.include('nobody watched');
    expect(message(() => expect(blind).to.not.have.states('client', ['SYN-SENT']))).to.include(
      'nobody watched',
    );
    const open = story.opened();
    expect(
      message(() => expect(open).to.not.have.states('client', ['ESTABLISHED', 'FIN-WAIT-1'])),
    ).to.include('the run ended there');
  });

  it('to retransmit: with backoff, so many times, within a time', () => {
    const lost = story.lostPassiveFin([204, 408, 816]);
    expect(lost).to.retransmit('server.fin').withBackoff().times(3).and.within(1500);
    expect(lost).to.retransmit('passive-fin');
    expect(lost).to.not.retransmit('client.fin');
    expect(message(() => expect(lost).to.retransmit('client.fin'))).to.include('it was sent once');
    expect(message(() => expect(lost).to.not.retransmit('server.fin'))).to.include('4th copy');
    expect(message(() => expect(lost).to.retransmit('server.fin').times(2))).to.include('2 times, not 3');
    expect(message(() => expect(lost).to.retransmit('server.fin').within(1000))).to.include(
      'it took 1.428 s',
    );
    const even = story.lostPassiveFin([204, 204, 204]);
    expect(message(() => expect(even).to.retransmit('server.fin').withBackoff())).to.include('do not double');
  });

  it('to retransmit: fails, negated or not, where there is no such segment', () => {
    const text = 'there is no server.fin that could have been retransmitted';
    expect(message(() => expect(story.opened()).to.retransmit('server.fin'))).to.include(text);
    expect(message(() => expect(story.opened()).to.not.retransmit('server.fin'))).to.include(text);
  });

  it('to have a segment: from a side, with a fate, so often', () => {
    expect(trace).to.haveSegment('final-ack').from('client').thatIs('dropped').times(2);
    expect(trace).to.haveSegment('final-ack').thatIs('delivered').and.times(1);
    expect(trace).to.not.haveSegment('rst');
    expect(message(() => expect(trace).to.haveSegment('final-ack').from('server'))).to.include(
      'from the server',
    );
    expect(message(() => expect(trace).to.not.haveSegment('final-ack'))).to.include('final ACK');
    expect(message(() => expect(trace).to.haveSegment('rst'))).to.include('segment rst');
  });

  it('to deliver and to drop', () => {
    expect(trace).to.drop('final-ack');
    expect(trace).to.deliver('data');
    expect(trace).to.not.drop('data');
    expect(story.lostData([1000])).to.drop('data');
    expect(message(() => expect(trace).to.drop('data'))).to.include('expected the wire to drop data');
    expect(message(() => expect(trace).to.not.drop('rst'))).to.include('there is no rst');
  });

  it('to conform to a check: with its sentence, clause and finding', () => {
    expect(trace).to.conform(staysInLastAck());
    const even = story.lostPassiveFin([204, 204, 204]);
    expect(even).to.not.conform(backsOff('server.fin'));
    const text = message(() => expect(even).to.conform(backsOff('server.fin')));
    expect(text).to.include('the waiting time doubles');
    expect(text).to.include('RFC 6298 §5.5 (R6298-15)');
    expect(text).to.include('0.204, 0.204 and 0.204 s');
  });

  it('to conform to a check: fails, negated or not, where the situation did not come about', () => {
    const check = isRepeated('server.fin');
    expect(message(() => expect(story.opened()).to.conform(check))).to.include('inconclusive');
    expect(message(() => expect(story.opened()).to.not.conform(check))).to.include('inconclusive');
  });

  it('says what it wants where it is given something else, or an unknown name', () => {
    expect(message(() => expect(42).to.retransmit('server.fin'))).to.include('expect(trace)');
    const name: string = 'server.fun';
    // @ts-expect-error a name that is not one
    expect(message(() => expect(trace).to.retransmit(name))).to.include('no segment is called "server.fun"');
  });
});
