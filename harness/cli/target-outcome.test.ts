import { expect } from 'chai';
import { passesThrough } from '../check/index.js';
import { drop, finalAck } from '../fault/index.js';
import type { ScenarioResult, ScenarioRun } from '../run/index.js';
import { traceWith } from '../trace/index.js';
import { takenOf } from './target-outcome.js';

type Verdict = ScenarioResult['judgement']['verdict'];

const OWN = passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1']);

const result = (check: string, verdict: Verdict, more: Partial<ScenarioResult> = {}): ScenarioResult => ({
  check,
  sentence: 'a sentence',
  requirements: [],
  clauses: [],
  judgement: { verdict, finding: 'found', evidence: [] },
  ...more,
});

interface Played {
  readonly results: readonly ScenarioResult[];
  readonly outcome?: ScenarioRun['outcome'];
  readonly lines?: readonly string[];
}

/** `client` is the one who closes in these lines, and the fault has acted when its final ACK is dropped. */
const played = ({ results, outcome = { kind: 'played' }, lines = ['client SYN'] }: Played): ScenarioRun => ({
  scenario: {
    id: 'close/lost-final-ack',
    title: 'ensures nothing',
    faults: [drop(finalAck(), { times: 1 })],
    play: async () => {},
    checks: [OWN],
  },
  ipVersion: 4,
  outcome,
  trace: traceWith({}, ...lines),
  results,
  verdict: 'fail',
  realMs: 1,
});

const TIMED_OUT = { kind: 'inconclusive', reason: 'nothing came of it' } as const;

describe('a run against a program of somebody else', () => {
  it('is good when nothing failed, whatever could not be judged', () => {
    const { isGood, lines, run } = takenOf(
      played({ results: [result(OWN.id, 'pass'), result('a-rule', 'inconclusive')] }),
    );
    expect(isGood).to.equal(true);
    expect(lines).to.deep.equal([
      'nothing failed, and each fault acted; one check could not be judged, see above',
    ]);
    expect(run.verdict).to.equal('inconclusive');
  });

  for (const verdict of ['fail', 'error'] as const)
    it(`is bad with a ${verdict}, but for one that is known`, () => {
      expect(takenOf(played({ results: [result(OWN.id, verdict)] })).isGood).to.equal(false);
      const known = { known: { reason: 'so it is', link: 'there' } };
      expect(takenOf(played({ results: [result(OWN.id, verdict, known)] })).isGood).to.equal(true);
    });

  it('says nothing by the checks of a story that was not played to its end, and keeps what is true of every trace', () => {
    const results = [result(OWN.id, 'fail'), result('a-rule', 'fail')];
    const { isGood, run } = takenOf(played({ results, outcome: TIMED_OUT }));
    expect(isGood).to.equal(false);
    expect(run.results.map(({ judgement }) => judgement.verdict)).to.deep.equal(['inconclusive', 'fail']);
    expect(run.results[0]?.judgement.finding).to.equal('the story was not played to its end: found');
  });

  it('is bad when a fault did not act', () => {
    const run = played({ results: [result(OWN.id, 'pass')] });
    const trace = traceWith({ faults: { idle: 'drop rst' } }, 'client SYN');
    expect(takenOf({ ...run, trace }).isGood).to.equal(false);
  });

  it('says that the program has closed first', () => {
    const lines = ['client SYN', 'server SYN,ACK', 'client ACK', 'server FIN,ACK'];
    const { lines: told } = takenOf(played({ results: [], outcome: TIMED_OUT, lines }));
    expect(told).to.have.lengthOf(1);
    expect(told[0]).to.match(/closed the connection before its client did/);
  });

  it('does not hold it against the list of what is known of other settings', () => {
    const { run } = takenOf(played({ results: [result(OWN.id, 'pass', { unexpected: 'take it off' })] }));
    expect(run.results[0]).not.to.have.property('unexpected');
  });
});
