/** Actions as targets of iptables. */
import type { SegmentChange } from '../../fault/index.js';
import { FLAG, OPTION_NUMBER, type OptionKind } from '../../segment/index.js';
import { implies, impliesSyn } from './atom.js';
import { actionName, NO_RULE } from './no-rule.js';
import type { IpVersion } from './place.js';
import type { Refuse } from './refusal.js';
import type { Selection } from './selection.js';

export interface Target {
  readonly words: readonly string[];
  readonly why: string;
}

/** What is done to a segment, one rule each. */
export function iptablesTargets(selection: Selection, version: IpVersion, refuse: Refuse): readonly Target[] {
  const { action } = selection.fault;
  if (action.kind === 'drop') return [{ words: ['-j', 'DROP'], why: 'drops it' }];
  if (action.kind === 'rewrite') return rewriteTargets(action.set, selection, version, refuse);
  const why = NO_RULE[action.kind] ?? 'iptables has no words for it: go by tc (netem), or by the wire';
  refuse(actionName(action), why);
  return [];
}

function rewriteTargets(
  { ttl, setOptions = [], removeOptions = [], ...others }: SegmentChange,
  selection: Selection,
  version: IpVersion,
  refuse: Refuse,
): readonly Target[] {
  const targets: Target[] = [];
  for (const name of Object.keys(others))
    refuse(name, 'iptables changes no such field: go by nft, or by the wire');
  if (ttl !== undefined)
    targets.push({
      words: version === 4 ? ['-j', 'TTL', '--ttl-set', String(ttl)] : ['-j', 'HL', '--hl-set', String(ttl)],
      why: `sets ${version === 4 ? 'the TTL' : 'the hop limit'}`,
    });
  for (const setting of setOptions) {
    if (removeOptions.includes(setting.kind)) continue;
    if (setting.kind !== 'mss') refuse(setting.kind, 'iptables sets no such option: it goes by the wire');
    else if (!selection.terms.every((term) => impliesSyn(term) && implies(term, FLAG.RST, 0)))
      refuse('mss', 'iptables sets it on SYNs only: pick syn or syn-ack');
    else
      targets.push({
        words: [
          '-p',
          'tcp',
          '--tcp-flags',
          'SYN,RST',
          'SYN',
          '-j',
          'TCPMSS',
          '--set-mss',
          String(setting.mss),
        ],
        why: 'sets the MSS, or adds it; iptables lowers it only: what is smaller stays',
      });
  }
  const numbers = strippedNumbers(removeOptions, refuse);
  if (numbers.length > 0)
    targets.push({
      words: ['-p', 'tcp', '-j', 'TCPOPTSTRIP', '--strip-options', numbers.join(',')],
      why: 'overwrites these options with NOPs; the others stay where they are',
    });
  return targets;
}

export function strippedNumbers(kinds: readonly OptionKind[], refuse: Refuse): readonly number[] {
  return kinds.flatMap((kind) => {
    if (kind === 'eol' || kind === 'nop' || kind === 'unknown') {
      refuse(`remove ${kind}`, 'rules remove an option by its number, and put NOPs in its place');
      return [];
    }
    return [OPTION_NUMBER[kind]];
  });
}
