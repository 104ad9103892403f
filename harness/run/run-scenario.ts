/** Runs one scenario: plays it in a lab of its own, and judges its trace. */
import { type Check, type CheckResult, judge, monitors, type Verdict } from '../check/index.js';
import { messageOf } from '../text/index.js';
import type { Trace } from '../trace/index.js';
import { type Played, type PlayOutcome, playInLab, type RunOptions } from './play-in-lab.js';
import type { IpVersion, Scenario } from './scenario.js';

export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly ipVersion: IpVersion;
  readonly outcome: PlayOutcome;
  /** Absent when the lab could not be built. */
  readonly trace?: Trace;
  readonly results: readonly CheckResult[];
  /** The worst of all. */
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

/** Whether a verdict is what a conforming endpoint gives: the run's exit code depends on it. */
export const isAsExpected = (verdict: Verdict): boolean =>
  GRAVITY.indexOf(verdict) <= GRAVITY.indexOf('unsupported');

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioRun> {
  const startedMs = performance.now();
  const base = { scenario, ipVersion: options.ipVersion };
  const realMs = () => performance.now() - startedMs;
  let played: Played;
  try {
    played = await playInLab(scenario, options);
  } catch (error) {
    const outcome = { kind: 'error', reason: messageOf(error) } as const;
    return { ...base, outcome, results: [], verdict: 'error', realMs: realMs() };
  }
  const { outcome, trace } = played;
  const results = judge(trace, checksOf(scenario));
  const stimulus: Verdict = outcome.kind === 'played' ? 'info' : outcome.kind;
  const verdict = worst([stimulus, ...results.map((result) => result.judgement.verdict)]);
  return { ...base, outcome, trace, results, verdict, realMs: realMs() };
}

/** Its own, and those of the rules for every trace that it does not name itself. */
function checksOf({ checks }: Scenario): readonly Check[] {
  const own = new Set(checks.map(({ id }) => id));
  return [...checks, ...monitors.filter(({ id }) => !own.has(id))];
}
