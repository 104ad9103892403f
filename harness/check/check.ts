/** A check is one sentence that the specification makes true, judged as a pure function of a trace. */
import type { Trace } from '../trace/index.js';

/**
 * - `pass`; `non-strict`: a SHOULD missed; `fail`: an observed violation; `info`: the RFC leaves it free, the finding
 *   reports the value; `inconclusive`: the situation did not come about; `unsupported`: the endpoint says it cannot;
 *   `error`: the harness broke.
 */
export type Verdict = 'pass' | 'non-strict' | 'fail' | 'info' | 'inconclusive' | 'unsupported' | 'error';

export interface Judgement {
  readonly verdict: Verdict;
  /** What was observed, with the measured values: `FIN repeated after 0.204, 0.416, 0.832 s`. */
  readonly finding: string;
  /** Indexes into `trace.events` that the judgement rests on. */
  readonly evidence: readonly number[];
}

export interface Check {
  /** Short and stable: `passive-closer-repeats-fin`. */
  readonly id: string;
  /** One sentence in the present tense, true of a conforming endpoint. */
  readonly sentence: string;
  /** Ids of the catalogue: `MUST-13`, `NOID-30`, `R6298-15`. */
  readonly requirements: readonly string[];
  judge(trace: Trace): Judgement;
  /** Alters a trace that passes so that this check must fail: every check can. */
  mutate(trace: Trace): Trace;
}
