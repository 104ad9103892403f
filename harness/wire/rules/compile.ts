/** Plans as rules: what needs no memory of the flow. Pure: `AppliedRules` carries out what comes of it. */
import { type Fault, PlanError, type Side } from '../../fault/index.js';
import { FLAG } from '../../segment/index.js';
import { implies } from './atom.js';
import { commandLines } from './command.js';
import { DEFAULT_TAG } from './default-tag.js';
import { compileIptables } from './iptables.js';
import { compileNft } from './nft.js';
import { placeProblem, type RulePlace } from './place.js';
import type { Compiled, Dialect, RuleSet } from './rule-set.js';
import { type Selection, selectionsOf } from './selection.js';
import { compileTc } from './tc.js';

export interface CompileOptions {
  readonly as: Dialect;
  readonly place: RulePlace;
  /** In the names of all that is made: letters, digits and hyphens, up to 20. */
  readonly tag?: string;
}

const COMPILERS = { iptables: compileIptables, nft: compileNft, tc: compileTc } as const;

/** Throws where the place does not tell the two sides apart, or two faults have one name. */
export function compileRules(
  faults: readonly Fault[],
  { as, place, tag = DEFAULT_TAG }: CompileOptions,
): Compiled {
  const problem = placeProblem(place);
  if (problem !== undefined) throw new RulePlaceError(problem);
  if (as === 'tc' && place.interface === undefined)
    throw new RulePlaceError('tc works on an interface: name it (--interface)');
  if (as !== 'tc' && place.interface !== undefined)
    throw new RulePlaceError(
      `${as} works at a hook, whatever the interface (--chain): leave --interface out`,
    );
  if (as === 'tc' && place.chain !== undefined)
    throw new RulePlaceError('tc works on an interface and knows no chains: leave --chain out');
  if (!/^[A-Za-z][A-Za-z0-9-]{0,19}$/.test(tag))
    throw new RulePlaceError(
      `"${tag}" is no tag: write up to 20 letters, digits and hyphens, a letter first`,
    );
  const ids = faults.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined)
    throw new PlanError(`two faults are called "${twice}": give one of them an id of its own`);
  return COMPILERS[as](faults, place, tag);
}

/** The end that receives what the faults pick, where that can be told: a drop at the sender's own is no loss to its TCP. */
export function receivingSide(faults: readonly Fault[]): Side {
  const { selections } = selectionsOf(faults);
  const fromServer = ({ terms }: Selection): boolean =>
    terms.every(
      (term) =>
        term.some(({ atom }) => atom.kind === 'sender' && atom.side === 'server') ||
        implies(term, SYN_ACK, SYN_ACK),
    );
  return selections.length > 0 && selections.every(fromServer) ? 'client' : 'server';
}

const SYN_ACK = FLAG.SYN | FLAG.ACK;

/** The place for rules was told wrongly: what is wrong, and what would be right. */
export class RulePlaceError extends Error {
  override readonly name = 'RulePlaceError';
}

const WHERE = {
  client: "the client's host",
  server: "the server's host",
  between: 'a host between the two',
} as const;

/** The rules for a person, and for a shell. */
export function rulesText({ dialect, place, apply, remove, count, notes }: RuleSet): string {
  const lines = [
    `# ${dialect}, on ${WHERE[place.side]}`,
    ...notes.map((note) => `# note: ${note}`),
    '',
    ...commandLines(apply),
    '',
    '# what was matched and done',
    ...commandLines(count),
    '',
    '# takes all of it away again',
    ...commandLines(remove),
  ];
  return `${lines.join('\n')}\n`;
}
