/** For this folder's tests: what of a run is not as it should be. */
import { keyOf, type ScenarioRun, wentAsExpected } from '../harness/index.js';

/** What is not as a conforming endpoint, or a known one, would have it. */
export const surprises = (runs: readonly ScenarioRun[]): readonly string[] =>
  runs
    .filter((run) => !wentAsExpected(run))
    .map(({ outcome, results, ...run }) =>
      [
        keyOf(run),
        outcome.kind === 'played' ? '' : `${outcome.kind}: ${outcome.reason}`,
        ...results.map(({ check, judgement, known, unexpected }) =>
          known === undefined && (unexpected ?? /fail|inconclusive|error/.test(judgement.verdict))
            ? `${check}: ${unexpected ?? judgement.verdict}: ${judgement.finding}`
            : '',
        ),
      ]
        .filter((text) => text !== '')
        .join('\n  '),
    );
