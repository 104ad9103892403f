/**
 * What stacks are known to do otherwise than their checks demand, as data. A run is held against the list, in both directions: what
 * deviates as it is listed is as expected, and what is listed and does not deviate is not.
 */
import type { Verdict } from '../check/index.js';
import type { Side } from '../fault/index.js';
import type { Trace } from '../trace/index.js';
import type { ScenarioResult, ScenarioRun } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { matchesName } from './selection.js';

export interface KnownDeviation {
  /** A stack (`linux`), or one by the beginning of its version (`linux@6.12`). */
  readonly stack: string;
  /** Its first version that deviates (`6.5`), and the first that does not any more. */
  readonly since?: string;
  readonly before?: string;
  /** The side that deviates (default: it may be either). */
  readonly side?: Side;
  /** The id of the check. */
  readonly check: string;
  /** Names as a selection has them: suites, scenarios, `*` for any text (default: every scenario with the check). */
  readonly scenarios?: readonly string[];
  /** What the check says of it. */
  readonly verdict: 'fail' | 'non-strict' | 'inconclusive';
  /** One sentence: what the stack does. */
  readonly reason: string;
  /** Where that can be read: the source or the commit of the stack, the clause of the RFC. */
  readonly link: string;
}

/** The run, with what the list says of its results. Its verdicts stay what they are. */
export function heldAgainst(run: ScenarioRun, list: readonly KnownDeviation[]): ScenarioRun {
  const { scenario, trace } = run;
  if (trace === undefined) return run;
  const concerned = list.filter((each) => concerns(each, scenario, trace));
  const results = run.results.map((result) => {
    const listed = concerned.find(({ check }) => check === result.check);
    return listed === undefined ? result : { ...result, ...comparison(result.judgement.verdict, listed) };
  });
  return { ...run, results };
}

const concerns = (deviation: KnownDeviation, scenario: Scenario, { endpoints }: Trace): boolean =>
  endpoints.some(({ side, stack }) => side === (deviation.side ?? side) && isOf(stack, deviation)) &&
  (deviation.scenarios?.some((name) => matchesName(scenario, name)) ?? true);

/** Whether a stack such as `linux@6.12.117+` is meant. */
function isOf(stack: string, { stack: wanted, since, before }: KnownDeviation): boolean {
  const [name, version = ''] = stack.split('@');
  const [wantedName, wantedVersion] = wanted.split('@');
  return (
    name === wantedName &&
    (wantedVersion === undefined || beginsWith(numbersOf(version), numbersOf(wantedVersion))) &&
    (since === undefined || compare(numbersOf(version), numbersOf(since)) >= 0) &&
    (before === undefined || compare(numbersOf(version), numbersOf(before)) < 0)
  );
}

/** Only its numbers count: builds have suffixes of their own. */
const numbersOf = (version: string): readonly number[] =>
  (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);

const beginsWith = (version: readonly number[], beginning: readonly number[]): boolean =>
  beginning.every((number, i) => version[i] === number);

/** Below 0 when the first is older; 6.5 is as old as 6.5.0. */
function compare(a: readonly number[], b: readonly number[]): number {
  const differences = Array.from(
    { length: Math.max(a.length, b.length) },
    (_, i) => (a[i] ?? 0) - (b[i] ?? 0),
  );
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** Where nothing could be judged the list has nothing to say: the verdict does. */
function comparison(
  verdict: Verdict,
  { verdict: listed, reason, link }: KnownDeviation,
): Pick<ScenarioResult, 'known' | 'unexpected'> {
  if (verdict === listed) return { known: { reason, link } };
  if (verdict === 'pass' || verdict === 'info' || verdict === 'non-strict')
    return { unexpected: `an unexpected ${verdict}, listed as ${listed} (${reason}): take it off the list` };
  return {};
}
