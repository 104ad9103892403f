/**
 * The way for plans that need to know the flow: rules of iptables that hand all segments of the connections to a queue, which a
 * program reads and answers (NFQUEUE). They change nothing by themselves: while nobody reads the queue, everything passes.
 */
import { SIDES } from '../../fault/index.js';
import type { Command } from './command.js';
import { RulePlaceError } from './compile.js';
import { DEFAULT_TAG } from './default-tag.js';
import { comment, directionWords, iptablesOf, merged } from './iptables.js';
import { hookOf, placeProblem, type RulePlace, versionsOf } from './place.js';
import type { RuleSet } from './rule-set.js';

export interface QueueOptions {
  /** Its number, from 0 to 65535. */
  readonly queue: number;
  readonly tag?: string;
}

/** Throws where the place does not tell the two sides apart. */
export function queueRules(place: RulePlace, { queue, tag = DEFAULT_TAG }: QueueOptions): RuleSet {
  const problem = placeProblem(place);
  if (problem !== undefined) throw new RulePlaceError(problem);
  const rules = versionsOf(place).flatMap((version) =>
    SIDES.map((side) => ({
      program: iptablesOf(version),
      side,
      words: [
        hookOf(side, place),
        ...merged([
          ...['-p', 'tcp', ...directionWords(side, place)],
          ...comment(`${tag}:from-${side}`),
          ...['-j', 'NFQUEUE', '--queue-num', String(queue), '--queue-bypass'],
        ]),
      ],
    })),
  );
  const command = (program: string, verb: '-I' | '-D', words: readonly string[], why?: string): Command => ({
    argv: [program, '-w', '-t', 'mangle', verb, ...words],
    ...(why !== undefined && { why }),
  });
  return {
    dialect: 'iptables',
    place,
    tag,
    faults: [],
    apply: rules.map(({ program, side, words }) =>
      command(
        program,
        '-I',
        words,
        `segments from the ${side} go to queue ${queue}, or on while nobody reads it`,
      ),
    ),
    remove: rules.map(({ program, words }, i) =>
      command(program, '-D', words, i === 0 ? 'no segment goes there any more' : undefined),
    ),
    count: versionsOf(place).map((version) => ({
      argv: [`${iptablesOf(version)}-save`, '-c', '-t', 'mangle'],
    })),
    notes: [],
  };
}
