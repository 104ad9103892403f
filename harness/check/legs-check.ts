/**
 * Checks of a way with a proxy in it: pure functions of the traces of both legs. They say what a proxy does to TCP, which no RFC
 * rules, so instead of a requirement they cite the place in the proxy's source that makes it so.
 */
import { eachLeg, indexesOf, type LegName, type Legs } from '../trace/index.js';
import type { Check, Judgement, Verdict } from './check.js';
import { idleFaults, inconclusive, NotShown, type Opinion } from './define.js';

export interface LegsJudgement {
  readonly verdict: Verdict;
  readonly finding: string;
  /** Indexes into each leg's `events`. */
  readonly evidence: Readonly<Record<LegName, readonly number[]>>;
}

export interface LegsCheck {
  /** Short and stable, unique in its scenario. */
  readonly id: string;
  /** One sentence in the present tense that says what the proxy does. */
  readonly sentence: string;
  /** The file and function of the proxy's source, such as `link.go, ToxicLink.write`. */
  readonly source: string;
  judge(legs: Legs): LegsJudgement;
  /** Alters legs that pass so that this check must fail: every check can. */
  mutate(legs: Legs): Legs;
}

export interface LegsCheckSpec extends Pick<LegsCheck, 'id' | 'sentence' | 'source' | 'mutate'> {
  judge(legs: Legs): Opinion;
}

export function legsCheck(spec: LegsCheckSpec): LegsCheck {
  const { id, sentence, source } = spec;
  return {
    id,
    sentence,
    source,
    judge(legs) {
      const { verdict, finding, events } = opinionOf(spec, legs);
      return withoutIdle(legs, {
        verdict,
        finding,
        evidence: eachLeg((leg) => indexesOf(legs[leg], events)),
      });
    },
    mutate: (legs) => spec.mutate(legs),
  };
}

function opinionOf(spec: LegsCheckSpec, legs: Legs): Opinion {
  try {
    return spec.judge(legs);
  } catch (error) {
    if (error instanceof NotShown) return inconclusive(error.message);
    throw error;
  }
}

/** Nothing passes on the ground of a fault that never happened. */
function withoutIdle(legs: Legs, judgement: LegsJudgement): LegsJudgement {
  const idle = idleFaults(legs.client) ?? idleFaults(legs.server);
  if (idle === undefined || judgement.verdict === 'fail') return judgement;
  return { verdict: 'inconclusive', finding: idle, evidence: eachLeg(() => []) };
}

/** A check of one connection, judged on one leg. */
export function onLeg(
  leg: LegName,
  check: Check,
  about: Pick<LegsCheck, 'id' | 'sentence' | 'source'>,
): LegsCheck {
  return {
    ...about,
    judge(legs) {
      const { verdict, finding, evidence }: Judgement = check.judge(legs[leg]);
      return withoutIdle(legs, {
        verdict,
        finding,
        evidence: eachLeg((each) => (each === leg ? evidence : [])),
      });
    },
    mutate: (legs) => ({ ...legs, [leg]: check.mutate(legs[leg]) }),
  };
}
