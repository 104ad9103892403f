/** `lastack rules`: a plan as rules of this or another kernel, printed, or applied here until Ctrl-C. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Receipt } from '../fault/index.js';
import {
  AppliedRules,
  compileRules,
  type Dialect,
  ownTag,
  queueRules,
  type RulePlace,
  type RuleSet,
  receivingSide,
  refusalText,
  rulesText,
} from '../wire/index.js';
import { EXIT, UsageError } from './exit.js';

export interface RulesCommand {
  readonly faults: readonly Fault[];
  readonly as: Dialect;
  /** Without a side it is the one that receives what the faults pick. */
  readonly place: Omit<RulePlace, 'side'> & Partial<Pick<RulePlace, 'side'>>;
  /** Instead of faults: everything goes to this queue. */
  readonly queue?: number;
  readonly isApplied: boolean;
}

export async function rules(command: RulesCommand): Promise<number> {
  const ruleSet = ruleSetOf(command);
  process.stdout.write(rulesText(ruleSet));
  if (command.isApplied) await showUntilKilled(ruleSet);
  return EXIT.asExpected;
}

function ruleSetOf({ faults, as, place, queue, isApplied }: RulesCommand): RuleSet {
  const side = place.side ?? (place.chain === undefined ? receivingSide(faults) : 'between');
  const tag = isApplied ? { tag: ownTag() } : {};
  if (queue !== undefined) {
    if (faults.length > 0)
      throw new UsageError('--queue hands over all segments, whatever the faults: leave them out');
    if (as !== 'iptables') throw new UsageError('--queue is for iptables: leave --as out');
    return queueRules({ ...place, side }, { queue, ...tag });
  }
  if (faults.length === 0)
    throw new UsageError('there is no fault to make rules of: name one with --fault, or a --plan');
  const compiled = compileRules(faults, { as, place: { ...place, side }, ...tag });
  if (compiled.kind === 'rules') return compiled.rules;
  throw new UsageError(`${as} has no rules for this plan: ${compiled.refusals.map(refusalText).join('; ')}`);
}

const LOOK_MS = 500;

/** The end of the process removes the rules, whichever signal ends it but a kill -9. */
async function showUntilKilled(ruleSet: RuleSet): Promise<never> {
  await using applied = await AppliedRules.apply(ruleSet);
  process.stdout.write('\n# applied; Ctrl-C removes all of it\n');
  let shown = '';
  for (;;) {
    const lines = (await applied.receipts()).map(receiptLine).join('');
    if (lines !== shown) process.stdout.write(lines);
    shown = lines;
    await sleep(LOOK_MS);
  }
}

const receiptLine = ({ text, matched, acted }: Receipt): string =>
  `${text}: matched ${matched}, acted on ${acted}\n`;
