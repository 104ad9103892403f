import { expect } from 'chai';
import { traceWith } from '../trace/index.js';
import { check, fails, informs, needed, passes } from './define.js';
import { judge } from './judge.js';
import * as story from './stories.fixture.js';

const made = (judging: Parameters<typeof check>[0]['judge']) =>
  check({ id: 'c', sentence: 'S.', requirements: ['MUST-13'], judge: judging, mutate: (trace) => trace });

describe('a check', () => {
  it('must name requirements that the catalogue has', () => {
    const spec = { id: 'c', sentence: 'S.', judge: () => passes('p'), mutate: story.nothing };
    expect(() => check({ ...spec, requirements: [] })).to.throw('check c names no requirement');
    expect(() => check({ ...spec, requirements: ['MUST-999'] })).to.throw(
      /no requirement is called "MUST-999"/,
    );
  });

  it('is inconclusive, with the reason, where it needs what the trace does not have', () => {
    const { verdict, finding } = made(() => passes(needed<string>(undefined, 'there was no FIN'))).judge(
      story.nothing(),
    );
    expect({ verdict, finding }).to.deep.equal({ verdict: 'inconclusive', finding: 'there was no FIN' });
  });

  it('names its evidence by index', () => {
    const trace = story.opened();
    const fin = trace.events[3];
    expect(made(() => passes('p', [fin, undefined])).judge(trace).evidence).to.deep.equal([3]);
  });

  describe('on a trace with a fault that matched nothing', () => {
    const trace = traceWith({ faults: { f1: 'drop final-ack once' } }, 'client SYN');

    for (const [verdict, opinion] of [
      ['pass', passes('p')],
      ['info', informs('i')],
    ] as const) {
      it(`is inconclusive instead of ${verdict}, and names the fault`, () => {
        const judgement = made(() => opinion).judge(trace);
        expect(judgement.verdict).to.equal('inconclusive');
        expect(judgement.finding).to.equal('fault "drop final-ack once" matched no segment');
      });
    }

    it('still fails by what was observed', () => {
      expect(made(() => fails('f')).judge(trace).verdict).to.equal('fail');
    });
  });
});

describe('judge', () => {
  it('gives a result for each check, with clauses; one that breaks is an error of the harness', () => {
    const broken = made(() => {
      throw new TypeError('no such thing');
    });
    const [first, second] = judge(story.nothing(), [made(() => passes('p')), broken]);
    expect(first?.judgement.verdict).to.equal('pass');
    expect(first?.clauses).to.deep.equal(['RFC 9293 §3.6.1 (MUST-13)']);
    expect(second?.judgement).to.deep.equal({
      verdict: 'error',
      finding: 'check c broke: no such thing',
      evidence: [],
    });
  });
});
