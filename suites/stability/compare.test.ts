import { expect } from 'chai';
import { differences, readSummary, type Summary } from './compare.js';

const summary = (
  verdict: string,
  outcome: Summary['scenarios'][number]['outcome'] = { kind: 'played' },
  check = 'c',
): Summary => ({
  figures: { wallMs: 1 },
  scenarios: [
    {
      scenario: 'a/b',
      ipVersion: 4,
      outcome,
      results: [{ check, verdict, finding: `it is ${verdict}` }],
    },
  ],
});

describe('the comparison of runs', () => {
  it('finds nothing where all verdicts are the same', () => {
    expect(differences([summary('pass'), summary('pass')])).to.deep.equal([]);
  });

  it('names the verdicts, the first finding of each, and the runs', () => {
    expect(differences([summary('pass'), summary('fail'), summary('pass')])).to.deep.equal([
      {
        scenario: 'a/b ipv4',
        check: 'c',
        seen: [
          { verdict: 'pass', finding: 'it is pass', runs: [1, 3] },
          { verdict: 'fail', finding: 'it is fail', runs: [2] },
        ],
      },
    ]);
  });

  it('takes a rule for every trace for kept where it was kept or had nothing to judge', () => {
    const [info, pass, fail] = (['info', 'pass', 'fail'] as const).map((verdict) =>
      summary(verdict, undefined, 'sack-only-if-permitted'),
    );
    if (info === undefined || pass === undefined || fail === undefined) throw new Error('three were made');
    expect(differences([info, pass])).to.deep.equal([]);
    expect(differences([info, fail])).to.have.length(1);
    expect(differences([summary('info'), summary('pass')])).to.have.length(1);
  });

  it('compares how scenarios were played, and misses what was not judged', () => {
    const { figures } = summary('pass');
    const late = summary('pass', { kind: 'inconclusive', reason: 'late' });
    expect(differences([summary('pass'), late]).map(({ check }) => check)).to.deep.equal([
      'how it was played',
    ]);
    expect(differences([summary('pass'), { figures, scenarios: [] }])).to.have.length(2);
  });

  it('reads nothing but summaries', () => {
    expect(() => readSummary('{"format": "lastack-trace"}')).to.throw('no summary of a run');
  });
});
