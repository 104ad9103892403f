import { expect } from 'chai';
import { traceOf } from '../trace/index.js';
import { abortSendsReset } from './abort.js';
import { monitors } from './monitors.js';
import { inWindowResetProfile, resetEnds, resetTold } from './reset.js';
import * as story from './stories.fixture.js';
import { zeroWindowProbesAnswered } from './zero-window.js';

describe('a RST that a side is given', () => {
  it('in TIME-WAIT may be ignored: the profile of RFC 1337', () => {
    const trace = story.opened('server TIME-WAIT', 'client RST peer', '+300 mark end');
    expect(resetEnds('server', 'TIME-WAIT').judge(trace).verdict).to.equal('info');
    const later = story.opened('server TIME-WAIT', 'client RST peer', '+60000 server CLOSED');
    expect(resetEnds('server', 'TIME-WAIT').judge(later).verdict).to.equal('info');
  });

  it('must end every other state, and at once', () => {
    const stays = story.opened('client RST peer', '+300 mark end');
    expect(resetEnds('server', 'ESTABLISHED').judge(stays).verdict).to.equal('fail');
    const late = story.opened('client RST peer', '+2000 server CLOSED');
    expect(resetEnds('server', 'ESTABLISHED').judge(late).verdict).to.equal('fail');
    const lateLook = story.opened('client RST peer', '+2000 server CLOSED bounded 1999');
    expect(resetEnds('server', 'ESTABLISHED').judge(lateLook).verdict).to.equal('pass');
  });

  it('speaks of a state only where it met that state at the right number', () => {
    const elsewhere = story.opened('client RST peer seq=100', '+300 mark end');
    expect(resetEnds('server', 'ESTABLISHED').judge(elsewhere).verdict).to.equal('inconclusive');
    expect(resetEnds('server', 'CLOSE-WAIT').judge(story.resetIn('LAST-ACK')).finding).to.include(
      'one came in LAST-ACK',
    );
  });

  it('elsewhere in the window has two profiles, and a third is wrong', () => {
    const profile = (...lines: string[]) =>
      inWindowResetProfile('server').judge(
        story.opened('client RST peer seq=100', ...lines, '+300 mark end'),
      );
    expect(profile('server ACK').finding).to.include('RFC 5961');
    expect(profile('server CLOSED').finding).to.include('RFC 793');
    expect(profile().verdict).to.equal('fail');
  });

  it('may be told to the program as EPIPE, but not as the end of the stream', () => {
    const told = (result: string) =>
      resetTold('server').judge(story.opened('client RST peer', `server receive() = ${result}`)).verdict;
    expect(['ECONNRESET', 'EPIPE', 'end', 'ETIMEDOUT'].map(told)).to.deep.equal([
      'pass',
      'pass',
      'fail',
      'fail',
    ]);
  });
});

describe('an abort', () => {
  it('is silent in TIME-WAIT and LAST-ACK: no RST is asked for', () => {
    const trace = story.opened('client LAST-ACK', '+300 client abort()', '+300 mark end');
    expect(abortSendsReset('client').judge(trace).verdict).to.equal('inconclusive');
  });

  it('must send a RST where it is due', () => {
    expect(abortSendsReset('client').judge(story.opened('client abort()', '+300 mark end')).verdict).to.equal(
      'fail',
    );
  });
});

describe('throttled answers', () => {
  it('to probes may be missing for a second, and not for longer', () => {
    const shut = (gapMs: number) =>
      story.opened(
        'client PSH,ACK data=100',
        'server ACK win=0',
        '+204 client ACK seq=104 [window-probe]',
        'server ACK win=0 [pure-ack]',
        `+${gapMs} client ACK seq=104 [window-probe]`,
        '+3000 server ACK win=9000 [pure-ack]',
      );
    expect(zeroWindowProbesAnswered().judge(shut(400)).verdict).to.equal('pass');
    expect(zeroWindowProbesAnswered().judge(shut(1500)).verdict).to.equal('fail');
  });
});

describe('the rules for every trace', () => {
  const judged = (id: string, ...lines: string[]) =>
    monitors.find((rule) => rule.id === id)?.judge(traceOf(...lines));

  it('say nothing against a trace that has nothing for them', () => {
    for (const rule of monitors) expect(rule.judge(story.nothing()).verdict, rule.id).to.equal('info');
  });

  it('leave scripted peers alone', () => {
    expect(judged('flags-legal', 'client SYN,FIN peer')?.verdict).to.equal('info');
    expect(judged('flags-legal', 'client SYN,FIN')?.verdict).to.equal('fail');
  });

  it('know a window that shrinks from one that is used up', () => {
    const lines = [...story.OPENING, 'client PSH,ACK data=1000'];
    expect(judged('window-not-shrunk', ...lines, 'server ACK win=63240')?.verdict).to.equal('pass');
    expect(judged('window-not-shrunk', ...lines, 'server ACK win=63000')?.verdict).to.equal('non-strict');
  });

  it('take a SYN,ACK that answers a SYN for no early retransmission', () => {
    const lines = ['client SYN', 'server SYN,ACK', 'client ACK', 'client SYN seq=0', 'server SYN,ACK again'];
    expect(judged('repeats-not-early', ...lines)?.verdict).to.not.equal('fail');
  });
});
