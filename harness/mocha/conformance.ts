/** Declares scenarios as mocha tests: a `describe` for each scenario and IP version, an `it` for each of its checks. */
import { AssertionError } from 'chai';
import type { Check, CheckResult } from '../check/index.js';
import { isAsExpected, type Scenario, type ScenarioRun, type Selected } from '../run/index.js';
import { clause } from '../spec/index.js';
import { session } from './session.js';

export function conformance(suiteName: string, scenarios: readonly Scenario[]): void {
  describe(suiteName, () => {
    for (const selected of session().select(scenarios)) declareScenario(selected);
  });
}

function declareScenario(selected: Selected): void {
  const { scenario, ipVersion } = selected;
  const suite = describe(`${scenario.id} ipv${ipVersion}: ${scenario.title}`, () => {
    it('is played to its end', async function () {
      const run = await resultOf(selected, this);
      if (run.outcome.kind === 'unsupported') skip(this, run.outcome.reason);
      if (run.outcome.kind !== 'played')
        throw new AssertionError(`${run.outcome.kind}: ${run.outcome.reason}`);
    });
    for (const check of scenario.checks) declareCheck(selected, check);
    it('obeys the rules that hold on every trace', async function () {
      const run = await resultOf(selected, this);
      const own = new Set(scenario.checks.map((check) => check.id));
      const broken = run.results.filter(
        (result) => !own.has(result.check) && !isAsExpected(result.judgement.verdict),
      );
      if (broken.length > 0) throw new AssertionError(broken.map(explain).join('\n'));
    });
  });
  session().declare(selected, suite);
}

function declareCheck(selected: Selected, check: Check): void {
  it(`${check.sentence} (${check.requirements.join(', ')})`, async function () {
    const run = await resultOf(selected, this);
    const result = run.results.find((each) => each.check === check.id);
    if (result === undefined) throw new AssertionError(reasonOf(run));
    if (result.judgement.verdict === 'unsupported') skip(this, result.judgement.finding);
    if (!isAsExpected(result.judgement.verdict)) throw new AssertionError(explain(result));
  });
}

/** The scenario's own limit ends a wait, not mocha's. */
async function resultOf(selected: Selected, context: Mocha.Context): Promise<ScenarioRun> {
  context.timeout(0);
  const { unavailable } = session().options;
  if (unavailable !== undefined) skip(context, unavailable);
  if (selected.unplayable !== undefined) skip(context, selected.unplayable);
  return session().result(selected);
}

/** Mocha prints no reason of a skip: the title carries it. */
function skip(context: Mocha.Context, reason: string): never {
  if (context.test !== undefined) context.test.title += ` [skipped: ${reason}]`;
  return context.skip();
}

const reasonOf = ({ outcome }: ScenarioRun): string =>
  outcome.kind === 'played' ? 'the check was not judged' : `${outcome.kind}: ${outcome.reason}`;

const explain = ({ requirements, sentence, judgement }: CheckResult): string =>
  `${judgement.verdict}: ${judgement.finding}\n  ${sentence}\n  ${requirements.map(clause).join(', ')}`;
