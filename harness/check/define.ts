/**
 * How checks are written: `check` turns a sentence, its requirement ids and two functions into a `Check`. The judging
 * function answers with an opinion that names events; asking for what the trace does not hold ends it as `inconclusive`.
 */
import { requirement } from '../spec/index.js';
import { indexesOf, type Trace, type TraceEvent } from '../trace/index.js';
import type { Check, Judgement, Verdict } from './check.js';

/** A judgement that still holds the events it rests on. */
export interface Opinion {
  readonly verdict: Verdict;
  readonly finding: string;
  readonly events: readonly TraceEvent[];
}

export type Evidence = readonly (TraceEvent | undefined)[];

const opinion =
  (verdict: Verdict) =>
  (finding: string, events: Evidence = []): Opinion => ({
    verdict,
    finding,
    events: events.filter((event) => event !== undefined),
  });

export const passes = opinion('pass');
export const nonStrict = opinion('non-strict');
export const fails = opinion('fail');
export const informs = opinion('info');
export const inconclusive = opinion('inconclusive');

/** What a check speaks of is not in the trace. Inside `judge` it becomes the verdict `inconclusive`. */
export class NotShown extends Error {
  override readonly name = 'NotShown';
}

/** The value, or the end of the judging: `missing` says what did not come about. */
export function needed<T>(value: T | undefined, missing: string): T {
  if (value === undefined) throw new NotShown(missing);
  return value;
}

/** All of a list that must not be empty. */
export function neededSome<T>(values: readonly T[], missing: string): readonly [T, ...T[]] {
  const [first, ...rest] = values;
  return [needed(first, missing), ...rest];
}

export interface CheckSpec {
  readonly id: string;
  readonly sentence: string;
  readonly requirements: readonly string[];
  judge(trace: Trace): Opinion;
  /** May use `needed` too: what it throws then says why the trace cannot be altered. */
  mutate(trace: Trace): Trace;
}

export function check(spec: CheckSpec): Check {
  if (spec.requirements.length === 0) throw new Error(`check ${spec.id} names no requirement`);
  for (const id of spec.requirements) requirement(id);
  return {
    id: spec.id,
    sentence: spec.sentence,
    requirements: spec.requirements,
    judge: (trace) => judgementOf(spec, trace),
    mutate: (trace) => spec.mutate(trace),
  };
}

function judgementOf(spec: CheckSpec, trace: Trace): Judgement {
  const { verdict, finding, events } = opinionOf(spec, trace);
  const idle = idleFaults(trace);
  // What was observed stays observed; but nothing passes on the ground of a fault that never happened.
  if (idle !== undefined && verdict !== 'fail' && verdict !== 'inconclusive')
    return { verdict: 'inconclusive', finding: idle, evidence: [] };
  return { verdict, finding, evidence: indexesOf(trace, events) };
}

function opinionOf(spec: CheckSpec, trace: Trace): Opinion {
  try {
    return spec.judge(trace);
  } catch (error) {
    if (error instanceof NotShown) return inconclusive(error.message);
    throw error;
  }
}

/** Says which faults of the plan never acted; undefined when all did. */
export function idleFaults({ receipts }: Trace): string | undefined {
  const idle = receipts.filter(({ acted }) => acted === 0);
  if (idle.length === 0) return undefined;
  return idle
    .map(({ text, matched }) =>
      matched === 0
        ? `fault "${text}" matched no segment`
        : `fault "${text}" matched ${matched} segments and acted on none`,
    )
    .join('; ');
}

/** Red: the check found something to complain of. */
export const isRed = ({ verdict }: Pick<Judgement, 'verdict'>): boolean =>
  verdict === 'fail' || verdict === 'non-strict';
