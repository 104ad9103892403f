/**
 * How a run against a user's program is taken. Nobody sees what that calls and is told, so that some checks cannot be judged, and it may do
 * otherwise than the story has its server do: neither is a failure of its TCP. Pure.
 */
import { idleFaults } from '../check/index.js';
import { type ScenarioResult, type ScenarioRun, worst } from '../run/index.js';
import { firstSegment, type Trace } from '../trace/index.js';
import type { Taken } from './repro.js';

/** Good: what was asked for has happened, and nothing of what was seen is wrong. */
export function takenOf(played: ScenarioRun): Taken {
  const run = { ...played, results: played.results.map((result) => takenResult(result, played)) };
  const { outcome, trace, results } = run;
  const verdicts = results.map(({ judgement }) => judgement.verdict);
  const told = { ...run, verdict: worst([outcome.kind === 'played' ? 'info' : outcome.kind, ...verdicts]) };
  const happened = outcome.kind === 'played' && trace !== undefined && idleFaults(trace) === undefined;
  if (!happened) return { run: told, isGood: false, lines: trace === undefined ? [] : hints(trace) };
  if (results.some(isBad)) return { run: told, isGood: false, lines: [] };
  const open = verdicts.filter((verdict) => verdict === 'inconclusive').length;
  const unseen =
    open === 0 ? '' : `; ${open === 1 ? 'one check' : `${open} checks`} could not be judged, see above`;
  return { run: told, isGood: true, lines: [`nothing failed, and each fault acted${unseen}`] };
}

const isBad = ({ judgement: { verdict }, known }: ScenarioResult): boolean =>
  known === undefined && (verdict === 'fail' || verdict === 'error');

/**
 * A scenario's own checks take its story for granted: of one that was not played to its end they say nothing. What the list of known
 * deviations expects, it expects of settings that are not the target's.
 */
function takenResult(
  { unexpected: _, ...result }: ScenarioResult,
  { scenario, outcome }: ScenarioRun,
): ScenarioResult {
  const isOwn = scenario.checks.some(({ id }) => id === result.check);
  if (outcome.kind === 'played' || !isOwn || result.judgement.verdict !== 'fail') return result;
  const finding = `the story was not played to its end: ${result.judgement.finding}`;
  return { ...result, judgement: { ...result.judgement, verdict: 'inconclusive', finding } };
}

/** What has most likely gone otherwise. */
function hints(trace: Trace): readonly string[] {
  const fin = firstSegment(trace, { role: 'active-fin' });
  return fin?.facts.from === 'server'
    ? [
        'the program closed the connection before its client did: most stories have the client close first, so let it ask for a connection that stays (--send)',
      ]
    : [];
}
