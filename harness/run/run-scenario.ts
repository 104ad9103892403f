/** Runs one scenario in a lab of its own: stimulus, trace, judgement. Whatever happens, the lab goes. */
import { type CheckResult, judge, monitors, type Verdict } from '../check/index.js';
import { ExpectationFailed, SocketError, Unsupported, WaitTimeout } from '../endpoint/index.js';
import type { Lab, LabOptions } from '../lab/index.js';
import { assemble, type Trace } from '../trace/index.js';
import { type IpVersion, limitOf, type Scenario } from './scenario.js';
import { LabStage } from './stage.js';

export interface RunOptions {
  readonly ipVersion: IpVersion;
  readonly openLab: (options: LabOptions) => Promise<Lab>;
  readonly eyes?: LabOptions['eyes'];
  /** Stay until the last timer has ended. */
  readonly untilClosed?: boolean;
}

/** How the stimulus went; the checks judge what the endpoints made of it. */
export type PlayOutcome =
  | { readonly kind: 'played' }
  /** The situation did not come about: something awaited never happened, or a call was refused. */
  | { readonly kind: 'inconclusive' | 'unsupported' | 'error'; readonly reason: string };

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
  let recorded: { outcome: PlayOutcome; trace: Trace };
  try {
    recorded = await record(scenario, options);
  } catch (error) {
    const outcome = { kind: 'error', reason: messageOf(error) } as const;
    return { ...base, outcome, results: [], verdict: 'error', realMs: realMs() };
  }
  const { outcome, trace } = recorded;
  const results = judge(trace, [...scenario.checks, ...monitors]);
  const played: Verdict = outcome.kind === 'played' ? 'info' : outcome.kind;
  const verdict = worst([played, ...results.map((result) => result.judgement.verdict)]);
  return { ...base, outcome, trace, results, verdict, realMs: realMs() };
}

async function record(
  scenario: Scenario,
  options: RunOptions,
): Promise<{ outcome: PlayOutcome; trace: Trace }> {
  const settings = scenario.settings;
  await using lab = await options.openLab({
    ipVersion: options.ipVersion,
    faults: scenario.faults ?? [],
    ...(settings === undefined ? {} : { settings }),
    ...(scenario.mtu === undefined ? {} : { mtu: scenario.mtu }),
    ...(scenario.peer === undefined ? {} : { peer: scenario.peer }),
    ...(options.eyes === undefined ? {} : { eyes: options.eyes }),
  });
  const stage = new LabStage(lab, scenario, options.untilClosed ?? false);
  const outcome = await play(scenario, stage);
  const recording = await lab.recording();
  const trace = assemble(recording, {
    scenario: scenario.id,
    lab: lab.name,
    ipVersion: options.ipVersion,
    endpoints: (['client', 'server'] as const).map((side) => ({
      side,
      stack: side === scenario.peer ? 'peer' : lab.endpoint(side).stack,
      ip: lab.ip(side),
    })),
    settings: flatSettings(scenario),
    marks: stage.marks,
  });
  return { outcome, trace };
}

async function play(scenario: Scenario, stage: LabStage): Promise<PlayOutcome> {
  const limitMs = limitOf(scenario);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<PlayOutcome>((resolve) => {
    timer = setTimeout(
      () => resolve({ kind: 'inconclusive', reason: `not played to its end within ${limitMs} ms` }),
      limitMs,
    );
  });
  const story = scenario.play(stage).then((): PlayOutcome => ({ kind: 'played' }), outcomeOf);
  try {
    return await Promise.race([story, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf(error: unknown): PlayOutcome {
  if (error instanceof Unsupported) return { kind: 'unsupported', reason: error.message };
  const awaited =
    error instanceof WaitTimeout || error instanceof ExpectationFailed || error instanceof SocketError;
  if (awaited || (error instanceof Error && error.name === 'TimeoutError'))
    return { kind: 'inconclusive', reason: messageOf(error) };
  return { kind: 'error', reason: messageOf(error) };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function flatSettings({ settings = {}, mtu }: Scenario): Record<string, string | number> {
  const flat = Object.entries(settings).flatMap(([side, values]) =>
    Object.entries(values ?? {}).map(([name, value]) => [`${side}.${name}`, value] as const),
  );
  return { ...Object.fromEntries(flat), ...(mtu === undefined ? {} : { mtu }) };
}
