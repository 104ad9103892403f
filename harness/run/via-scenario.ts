/** A scenario with a proxy in the middle: toxics and faults, a stimulus, and the checks that judge the traces of both legs. */
import { type LegsCheck, type LegsJudgement, monitors, type Verdict } from '../check/index.js';
import { LEG_NAMES } from '../lab/index.js';
import { messageOf } from '../text/index.js';
import type { Legs } from '../trace/index.js';
import type { PlayOutcome } from './play-in-lab.js';
import { playVia, type RecordViaOptions } from './record-via.js';
import { worst } from './run-scenario.js';
import type { IpVersion } from './scenario.js';
import type { ViaStage } from './via-stage.js';

export interface ViaScenario
  extends Pick<RecordViaOptions, 'toxics' | 'faults' | 'settings' | 'mtu' | 'limitMs'> {
  /** `toxiproxy/reset-peer-downstream`. */
  readonly id: string;
  /** One sentence that begins with "shows": it is no requirement on a stack. */
  readonly title: string;
  play(stage: ViaStage): Promise<void>;
  readonly checks: readonly LegsCheck[];
}

export interface ViaResult extends Pick<LegsCheck, 'id' | 'sentence' | 'source'> {
  readonly judgement: LegsJudgement;
}

export interface ViaRun {
  readonly scenario: ViaScenario;
  readonly ipVersion: IpVersion;
  readonly outcome: PlayOutcome;
  /** Absent when the lab could not be built. */
  readonly legs?: Legs;
  readonly results: readonly ViaResult[];
  /** Rules for every trace that a kernel broke on one of the legs: there should be none. */
  readonly broken: readonly string[];
  readonly verdict: Verdict;
  readonly realMs: number;
}

export interface ViaRunOptions extends Pick<RecordViaOptions, 'openLab' | 'eyes'> {
  readonly ipVersion: IpVersion;
}

/** Whatever goes wrong is the run's outcome. */
export async function runViaScenario(scenario: ViaScenario, options: ViaRunOptions): Promise<ViaRun> {
  const startedMs = performance.now();
  const { id, toxics, faults, settings, mtu, limitMs, play } = scenario;
  const base = { scenario, ipVersion: options.ipVersion };
  const realMs = () => performance.now() - startedMs;
  try {
    const setup = { toxics, faults, settings, mtu, limitMs };
    const given = Object.fromEntries(Object.entries(setup).filter(([, value]) => value !== undefined));
    const { outcome, legs } = await playVia({ ...options, ...given, name: id }, play);
    const results = scenario.checks.map((check) => ({ ...check, judgement: judged(check, legs) }));
    const broken = brokenRules(legs);
    const verdicts = results.map(({ judgement }) => judgement.verdict);
    const verdict = worst([
      outcome.kind === 'played' ? 'info' : outcome.kind,
      broken.length === 0 ? 'info' : 'fail',
      ...verdicts,
    ]);
    return { ...base, outcome, legs, results, broken, verdict, realMs: realMs() };
  } catch (error) {
    const outcome = { kind: 'error', reason: messageOf(error) } as const;
    return { ...base, outcome, results: [], broken: [], verdict: 'error', realMs: realMs() };
  }
}

function judged(check: LegsCheck, legs: Legs): LegsJudgement {
  try {
    return check.judge(legs);
  } catch (error) {
    const finding = `check ${check.id} broke: ${messageOf(error)}`;
    return { verdict: 'error', finding, evidence: { client: [], server: [] } };
  }
}

/** All four ends are kernels: what holds on every trace holds on both legs. */
const brokenRules = (legs: Legs): readonly string[] =>
  LEG_NAMES.flatMap((leg) =>
    monitors.flatMap((rule) => {
      const { verdict, finding } = rule.judge(legs[leg]);
      return verdict === 'fail' || verdict === 'error' ? [`${leg} leg: ${rule.id}: ${finding}`] : [];
    }),
  );
