/** Receipts from the counters of rules. Pure: from what the tools print. */
import { type Fault, faultLine, type Receipt } from '../../fault/index.js';
import { counterName } from './nft.js';
import type { Counts, RuleSet } from './rule-set.js';
import { NETEM } from './tc.js';

/** In the order of the plan. Which segments it were, rules do not tell. */
export function receiptsOf(
  { dialect, tag, faults }: RuleSet,
  printed: readonly string[],
): readonly Receipt[] {
  return faults.map((fault, i) => {
    const counts = COUNTERS[dialect]({ fault, number: i + 1, tag, printed });
    return { fault: fault.id, text: faultLine(fault), ...counts, arrivals: [] };
  });
}

interface Question {
  readonly fault: Fault;
  readonly number: number;
  readonly tag: string;
  readonly printed: readonly string[];
}

const COUNTERS: Readonly<Record<RuleSet['dialect'], (question: Question) => Counts>> = {
  /** `[packets:octets] -A chain … --comment tag:number:what`, once for each version of IP. */
  iptables: ({ number, tag, printed }) => {
    const count = (what: string) => {
      const rule = new RegExp(`^\\[(\\d+):\\d+\\] .*--comment "?${tag}:${number}:${what}"?(?: |$)`, 'gm');
      const all = printed.flatMap((text) => [...text.matchAll(rule)]);
      if (all.length === 0) throw new Error(`iptables has no counter of fault ${number}: was it removed?`);
      return all.reduce((sum, [, packets]) => sum + Number(packets), 0);
    };
    return { matched: count('matched'), acted: count('acted') };
  },
  nft: ({ number, printed }) => {
    const counters = printed.flatMap((text): readonly NftObject[] => JSON.parse(text).nftables);
    const count = (what: 'matched' | 'acted') => {
      const found = counters.find(({ counter }) => counter?.name === counterName(number, what));
      if (found?.counter === undefined)
        throw new Error(`nft has no counter of fault ${number}: was it removed?`);
      return found.counter.packets;
    };
    return { matched: count('matched'), acted: count('acted') };
  },
  /** What a clsact dropped, and what has left a netem. */
  tc: ({ fault, printed }) => {
    const qdiscs = printed.flatMap((text): readonly Qdisc[] => JSON.parse(text));
    const isDrop = fault.action.kind === 'drop';
    const found = qdiscs.find(({ kind, handle }) => (isDrop ? kind === 'clsact' : handle === NETEM));
    if (found === undefined) throw new Error('tc has no such qdisc any more: was it removed?');
    const count = isDrop ? found.drops : found.packets;
    return { matched: count, acted: count };
  },
};

interface NftObject {
  readonly counter?: { readonly name: string; readonly packets: number };
}

interface Qdisc {
  readonly kind: string;
  readonly handle: string;
  readonly drops: number;
  readonly packets: number;
}
