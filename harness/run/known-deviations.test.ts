import { expect } from 'chai';
import type { Verdict } from '../check/index.js';
import type { Side } from '../fault/index.js';
import { traceOf } from '../trace/index.js';
import { heldAgainst, type KnownDeviation } from './known-deviations.js';
import { type ScenarioResult, type ScenarioRun, wentAsExpected } from './run-scenario.js';

const DEVIATION: KnownDeviation = {
  stack: 'linux',
  check: 'patient',
  verdict: 'fail',
  reason: 'it gives up early',
  link: 'RFC 9293 section 3.8.3, tcp_timer.c',
};

const result = (check: string, verdict: Verdict): ScenarioResult => ({
  check,
  sentence: 'It holds.',
  requirements: [],
  clauses: [],
  judgement: { verdict, finding: 'found', evidence: [] },
});

const stacksOf = (client: string, server = client) =>
  (['client', 'server'] as const).map((side: Side) => ({
    side,
    stack: side === 'client' ? client : server,
    ip: '198.18.0.1',
  }));

function runOf(verdict: Verdict, endpoints = stacksOf('linux@6.12.117+')): ScenarioRun {
  return {
    scenario: { id: 'long/syn', title: 'ensures it', play: () => Promise.resolve(), checks: [] },
    ipVersion: 4,
    outcome: { kind: 'played' },
    trace: { ...traceOf('client SYN'), endpoints },
    results: [result('other', 'pass'), result('patient', verdict)],
    verdict,
    realMs: 1,
  };
}

const patient = (run: ScenarioRun): ScenarioResult | undefined => run.results[1];

describe('a run held against known deviations', () => {
  it('is as expected when what deviates is listed, and its verdict stays', () => {
    const run = heldAgainst(runOf('fail'), [DEVIATION]);
    const { reason, link } = DEVIATION;
    expect(patient(run)).to.deep.equal({ ...result('patient', 'fail'), known: { reason, link } });
    expect(run.verdict).to.equal('fail');
    expect(run.results[0]).to.deep.equal(result('other', 'pass'));
    expect(wentAsExpected(run)).to.equal(true);
    expect(wentAsExpected(heldAgainst(runOf('fail'), []))).to.equal(false);
  });

  for (const verdict of ['pass', 'info', 'non-strict'] as const)
    it(`is not as expected when what is listed as fail is ${verdict}`, () => {
      const run = heldAgainst(runOf(verdict), [DEVIATION]);
      expect(patient(run)?.unexpected).to.equal(
        `an unexpected ${verdict}, listed as fail (it gives up early): take it off the list`,
      );
      expect(patient(run)?.judgement.verdict).to.equal(verdict);
      expect(wentAsExpected(run)).to.equal(false);
      expect(wentAsExpected(heldAgainst(runOf(verdict), []))).to.equal(true);
    });

  for (const verdict of ['inconclusive', 'error'] as const)
    it(`is not as expected when what is listed as fail is ${verdict}: nothing was judged`, () => {
      const run = heldAgainst(runOf(verdict), [DEVIATION]);
      expect(patient(run)).to.deep.equal(result('patient', verdict));
      expect(wentAsExpected(run)).to.equal(false);
    });

  it('is not as expected when it deviates otherwise than is listed', () => {
    const run = heldAgainst(runOf('fail'), [{ ...DEVIATION, verdict: 'non-strict' }]);
    expect(patient(run)).to.deep.equal(result('patient', 'fail'));
    expect(wentAsExpected(run)).to.equal(false);
  });

  it('is not as expected when its story broke, whatever is listed', () => {
    const broken = { ...runOf('fail'), outcome: { kind: 'error', reason: 'out of order' } } as const;
    expect(wentAsExpected(heldAgainst(broken, [DEVIATION]))).to.equal(false);
  });

  it('stays as it is without a trace', () => {
    const { trace: _, ...run } = runOf('error');
    expect(heldAgainst({ ...run, results: [] }, [DEVIATION])).to.deep.equal({ ...run, results: [] });
  });
});

/** Whether a failing check is known, of a run of these stacks. */
const isKnown = (deviation: Partial<KnownDeviation>, endpoints = stacksOf('linux@6.12.117+')): boolean =>
  patient(heldAgainst(runOf('fail', endpoints), [{ ...DEVIATION, ...deviation }]))?.known !== undefined;

describe('a known deviation', () => {
  for (const [says, deviation, expected] of [
    ['is of a stack', { stack: 'linux' }, true],
    ['is of no other stack', { stack: 'lwip' }, false],
    ['is of a version by its beginning', { stack: 'linux@6.12' }, true],
    ['is of a whole version, whatever the build adds to it', { stack: 'linux@6.12.117' }, true],
    ['is of no version that only looks alike', { stack: 'linux@6.1' }, false],
    ['begins with a version', { since: '6.12' }, true],
    ['was not there before it', { since: '6.13' }, false],
    ['ends before a version', { before: '6.13' }, true],
    ['is gone in that version', { before: '6.12.117' }, false],
    ['counts versions number by number', { since: '6.5', before: '6.100' }, true],
    ['is of the scenarios that it names', { scenarios: ['close', 'long/s*'] }, true],
    ['is of no other scenario', { scenarios: ['close'] }, false],
    ['is of no other check', { check: 'impatient' }, false],
  ] as const satisfies readonly (readonly [string, Partial<KnownDeviation>, boolean])[])
    it(`${says}: ${JSON.stringify(deviation)}`, () => {
      expect(isKnown(deviation)).to.equal(expected);
    });

  it('is of one side, or of either', () => {
    const newer = stacksOf('linux@5.10.1', 'linux@6.12.1');
    expect(isKnown({ stack: 'linux@6.12', side: 'client' }, newer)).to.equal(false);
    expect(isKnown({ stack: 'linux@6.12', side: 'server' }, newer)).to.equal(true);
    expect(isKnown({ stack: 'linux@6.12' }, newer)).to.equal(true);
    expect(isKnown({ side: 'client' }, stacksOf('peer', 'linux@6.12.1'))).to.equal(false);
  });
});
