/** Runs one scenario: plays it in a lab of its own, and judges its trace. */
import { type Check, type CheckResult, judge, monitors, type Verdict } from '../check/index.js';
import { Unsupported } from '../endpoint/index.js';
import { messageOf } from '../text/index.js';
import type { Trace } from '../trace/index.js';
import { type Played, type PlayOutcome, playInLab, type RunOptions } from './play-in-lab.js';
import type { IpVersion, Scenario } from './scenario.js';

/** What a check said of the run, and what the list of known deviations says of that. */
export interface ScenarioResult extends CheckResult {
  /** The stack deviates as it is listed. */
  readonly known?: { readonly reason: string; readonly link: string };
  /** The stack does not deviate although it is listed: what to do. */
  readonly unexpected?: string;
}

export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly ipVersion: IpVersion;
  readonly outcome: PlayOutcome;
  /** Absent when the lab could not be built. */
  readonly trace?: Trace;
  readonly results: readonly ScenarioResult[];
  /** The worst of all, known or not. */
  readonly verdict: Verdict;
  readonly realMs: number;
}

/** From the harmless to the grave; a run is as bad as its worst result. */
const GRAVITY: readonly Verdict[] = [
  'info',
  'pass',
  'non-strict',
  'unsupported',
  'inconclusive',
  'error',
  'fail',
];

export const worst = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((a, b) => (GRAVITY.indexOf(b) > GRAVITY.indexOf(a) ? b : a), 'info');

/** Whether a verdict is what a conforming endpoint gives. */
export const isConforming = (verdict: Verdict): boolean =>
  GRAVITY.indexOf(verdict) <= GRAVITY.indexOf('unsupported');

/** Whether a result is that of a conforming endpoint, or what the list of known deviations has in its place. */
export const isAsExpected = ({ judgement, known, unexpected }: ScenarioResult): boolean =>
  known !== undefined || (unexpected === undefined && isConforming(judgement.verdict));

/** Whether a run was played and all its results are as expected: the exit code depends on it. */
export const wentAsExpected = ({ outcome, results }: ScenarioRun): boolean =>
  isConforming(stimulusVerdict(outcome)) && results.every(isAsExpected);

const stimulusVerdict = (outcome: PlayOutcome): Verdict =>
  outcome.kind === 'played' ? 'info' : outcome.kind;

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioRun> {
  const startedMs = performance.now();
  const base = { scenario, ipVersion: options.ipVersion };
  const realMs = () => performance.now() - startedMs;
  let played: Played;
  try {
    played = await playInLab(scenario, options);
  } catch (error) {
    // A stack may say that it cannot have the scenario's settings.
    const kind = error instanceof Unsupported ? 'unsupported' : 'error';
    return {
      ...base,
      outcome: { kind, reason: messageOf(error) },
      results: [],
      verdict: kind,
      realMs: realMs(),
    };
  }
  const { outcome, trace } = played;
  const results = judge(trace, checksOf(scenario));
  const verdict = worst([stimulusVerdict(outcome), ...results.map((result) => result.judgement.verdict)]);
  return { ...base, outcome, trace, results, verdict, realMs: realMs() };
}

/** Its own, and those of the rules for every trace that it does not name itself. */
function checksOf({ checks }: Scenario): readonly Check[] {
  const own = new Set(checks.map(({ id }) => id));
  return [...checks, ...monitors.filter(({ id }) => !own.has(id))];
}
