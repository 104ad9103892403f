/** Judges a trace by checks. A check that breaks is an `error` of the harness and no verdict on the endpoint. */

import { clause } from '../spec/index.js';
import { messageOf } from '../text/index.js';
import type { Trace } from '../trace/index.js';
import type { Check, Judgement } from './check.js';

export interface CheckResult {
  /** The check's id. */
  readonly check: string;
  readonly sentence: string;
  readonly requirements: readonly string[];
  /** How to cite them: `RFC 9293 §3.10.7.4 (NOID-31)`. */
  readonly clauses: readonly string[];
  readonly judgement: Judgement;
}

export function judge(trace: Trace, checks: readonly Check[]): readonly CheckResult[] {
  return checks.map((check) => ({
    check: check.id,
    sentence: check.sentence,
    requirements: check.requirements,
    clauses: check.requirements.map(clause),
    judgement: judgeOne(trace, check),
  }));
}

function judgeOne(trace: Trace, check: Check): Judgement {
  try {
    return check.judge(trace);
  } catch (error) {
    const reason = messageOf(error);
    return { verdict: 'error', finding: `check ${check.id} broke: ${reason}`, evidence: [] };
  }
}
