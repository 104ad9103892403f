import { expect } from 'chai';
import { traceOf } from '../trace/index.js';
import { judgeStates, matchSteps, type StateStep, transitionsLegal } from './states.js';
import * as story from './stories.fixture.js';

const verdictOf = (lines: readonly string[], side: 'client' | 'server', steps: readonly StateStep[]) =>
  judgeStates(traceOf(...lines), side, steps).verdict;

describe('the states a side passes through', () => {
  it('follow one another without others between, unless these are optional', () => {
    expect(matchSteps(['LISTEN', 'SYN-RECEIVED', 'ESTABLISHED'], ['SYN-RECEIVED', 'ESTABLISHED'])).to.equal(
      'all',
    );
    expect(matchSteps(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'], ['FIN-WAIT-1', 'TIME-WAIT'])).to.equal(
      'none',
    );
    const steps: readonly StateStep[] = ['FIN-WAIT-1', 'FIN-WAIT-2?', 'TIME-WAIT'];
    expect(matchSteps(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'], steps)).to.equal('all');
    expect(matchSteps(['FIN-WAIT-1', 'TIME-WAIT'], steps)).to.equal('all');
    expect(matchSteps(['ESTABLISHED', 'FIN-WAIT-1'], steps)).to.equal('partly');
  });

  describe('where looks were too far apart', () => {
    it('count as passed when there is no other way', () => {
      const lines = [
        ...story.OPENING,
        'client FIN,ACK',
        'server ACK',
        'server FIN,ACK',
        'server LAST-ACK bounded 5',
      ];
      expect(verdictOf(lines, 'server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK'])).to.equal('pass');
    });

    it('are open when segments allow two ways, and decided when they do not', () => {
      const until = [...story.OPENING, 'client FIN-WAIT-1', 'client FIN,ACK'];
      const joined = [...until, 'server FIN,ACK', 'client TIME-WAIT bounded 5'];
      expect(verdictOf(joined, 'client', ['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'])).to.equal('inconclusive');
      expect(verdictOf(joined, 'client', ['FIN-WAIT-1', 'FIN-WAIT-2?', 'TIME-WAIT'])).to.equal('pass');
      const apart = [...until, 'server ACK', 'server FIN,ACK', 'client TIME-WAIT bounded 5'];
      expect(verdictOf(apart, 'client', ['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'])).to.equal('pass');
      expect(verdictOf(apart, 'client', ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'])).to.equal('fail');
    });

    it('are not taken from an inferred step, which is a guess between two looks', () => {
      const lines = [
        ...story.OPENING,
        'client FIN-WAIT-1',
        'client FIN,ACK, delayed 5 by f1',
        'server FIN,ACK, delayed 5 by f1',
        '+10 client ACK',
        'server ACK',
        'client FIN-WAIT-2 inferred 5',
        'client TIME-WAIT bounded 5',
      ];
      expect(verdictOf(lines, 'client', ['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'])).to.not.equal('pass');
      expect(verdictOf(lines, 'client', ['FIN-WAIT-1', 'CLOSING?', 'TIME-WAIT'])).to.equal('pass');
    });

    it('fail when no way leads there', () => {
      const lines = [...story.OPENING, 'client TIME-WAIT bounded 5'];
      expect(verdictOf(lines, 'client', ['ESTABLISHED', 'LAST-ACK'])).to.equal('fail');
    });
  });

  it('are inconclusive while the run ends on the way', () => {
    expect(verdictOf([...story.OPENING], 'client', ['ESTABLISHED', 'FIN-WAIT-1'])).to.equal('inconclusive');
  });

  it('are the same when a kernel says one of them twice', () => {
    const lines = [
      ...story.OPENING,
      'client FIN-WAIT-1',
      'client CLOSING',
      'client CLOSING',
      'client TIME-WAIT',
    ];
    expect(verdictOf(lines, 'client', ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'])).to.equal('pass');
  });
});

describe('transitions that the diagram does not have', () => {
  it('fail when seen themselves, and not when a look came late', () => {
    expect(transitionsLegal().judge(traceOf('client SYN-SENT', 'client LAST-ACK')).verdict).to.equal('fail');
    expect(
      transitionsLegal().judge(traceOf('client SYN-SENT', 'client LAST-ACK bounded 5')).verdict,
    ).to.equal('pass');
    expect(
      transitionsLegal().judge(traceOf('client LAST-ACK bounded 5', 'client ESTABLISHED bounded 5')).verdict,
    ).to.equal('fail');
  });
});
