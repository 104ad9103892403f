/** Declares scenarios as mocha tests: a `describe` for each scenario and IP version, an `it` for each of its checks. */
import { AssertionError } from 'chai';
import type { Check } from '../check/index.js';
import {
  isAsExpected,
  type KnownDeviation,
  type Scenario,
  type ScenarioResult,
  type ScenarioRun,
  type Selected,
} from '../run/index.js';
import { clause } from '../spec/index.js';
import { session } from './session.js';

export interface ConformanceOptions {
  /** What the stacks are known to do otherwise: a test of that passes and says so, and fails when it is not true any more. */
  readonly known?: readonly KnownDeviation[];
}

export function conformance(
  suiteName: string,
  scenarios: readonly Scenario[],
  { known = [] }: ConformanceOptions = {},
): void {
  describe(suiteName, () => {
    for (const selected of session().select(scenarios)) declareScenario({ ...selected, known });
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
      const rules = run.results.filter((result) => !own.has(result.check));
      const broken = rules.filter((result) => !isAsExpected(result));
      if (broken.length > 0) throw new AssertionError(broken.map(explain).join('\n'));
      for (const rule of rules) remarkKnown(this, rule);
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
    if (!isAsExpected(result)) throw new AssertionError(explain(result));
    remarkKnown(this, result);
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
  remark(context, `skipped: ${reason}`);
  return context.skip();
}

function remarkKnown(context: Mocha.Context, { judgement, known }: ScenarioResult): void {
  if (known !== undefined) remark(context, `${judgement.verdict}, known: ${known.reason} (${known.link})`);
}

function remark({ test }: Mocha.Context, text: string): void {
  if (test !== undefined) test.title += ` [${text}]`;
}

const reasonOf = ({ outcome }: ScenarioRun): string =>
  outcome.kind === 'played' ? 'the check was not judged' : `${outcome.kind}: ${outcome.reason}`;

const explain = ({ requirements, sentence, judgement, unexpected }: ScenarioResult): string =>
  `${unexpected ?? judgement.verdict}: ${judgement.finding}\n  ${sentence}\n  ${requirements.map(clause).join(', ')}`;
