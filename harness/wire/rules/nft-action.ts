/** Actions as statements of nftables. */
import type { OptionSetting, SegmentChange, SeqPoint } from '../../fault/index.js';
import { FLAG, type FlagName } from '../../segment/index.js';
import { strippedNumbers } from './iptables-action.js';
import { flagNames, optionWord } from './nft-match.js';
import { actionName, NO_RULE } from './no-rule.js';
import type { IpVersion } from './place.js';
import { BY_THE_WIRE, type Refuse } from './refusal.js';
import type { Selection } from './selection.js';

export interface Statement {
  readonly text: string;
  readonly why: string;
}

/** What is done to a segment, one rule each. */
export function nftStatements(
  selection: Selection,
  versions: readonly IpVersion[],
  refuse: Refuse,
): readonly Statement[] {
  const { action } = selection.fault;
  if (action.kind === 'drop') return [{ text: 'drop', why: 'drops it' }];
  if (action.kind === 'rewrite') return rewriteStatements(action.set, versions, refuse);
  refuse(
    actionName(action),
    NO_RULE[action.kind] ?? 'nft has no words for it: go by tc (netem), or by the wire',
  );
  return [];
}

function rewriteStatements(
  change: SegmentChange,
  versions: readonly IpVersion[],
  refuse: Refuse,
): readonly Statement[] {
  const { ttl, flags, setOptions = [], removeOptions = [], payload, payloadHex } = change;
  const statements: Statement[] = [];
  if (payload !== undefined || payloadHex !== undefined)
    refuse('payload', 'no rule changes the length of a segment: it goes by the wire');
  for (const [name, field] of NUMBERS) {
    const value = change[name];
    if (value === undefined) continue;
    statements.push({ text: `tcp ${field} set ${plainNumber(name, value, refuse)}`, why: `sets ${name}` });
  }
  if (flags !== undefined)
    statements.push({ text: `tcp flags set ${flagBits(flags, refuse)}`, why: 'sets the flags' });
  if (ttl !== undefined)
    for (const version of versions)
      statements.push(
        version === 4
          ? { text: `ip ttl set ${ttl}`, why: 'sets the TTL' }
          : { text: `ip6 hoplimit set ${ttl}`, why: 'sets the hop limit' },
      );
  for (const setting of setOptions)
    if (!removeOptions.includes(setting.kind)) statements.push(...settingStatements(setting, refuse));
  if (strippedNumbers(removeOptions, refuse).length > 0)
    for (const kind of removeOptions)
      statements.push({
        text: `reset tcp option ${optionWord(kind, refuse)}`,
        why: 'overwrites the option with NOPs; the others stay where they are',
      });
  return statements;
}

const NUMBERS = [
  ['seq', 'sequence'],
  ['ack', 'ackseq'],
  ['window', 'window'],
  ['srcPort', 'sport'],
  ['dstPort', 'dport'],
  ['urgentPointer', 'urgptr'],
] as const satisfies readonly (readonly [keyof SegmentChange, string])[];

function plainNumber(name: string, value: SeqPoint, refuse: Refuse): number {
  if (typeof value === 'number') return value;
  refuse(
    `${name}=${value}`,
    'numbers in words need the flow: write the number as it is to stand, or go by the wire',
  );
  return 0;
}

function flagBits(names: readonly FlagName[], refuse: Refuse): string {
  if (names.includes('AE')) refuse('flags AE', 'nft sets the eight lower flags only: it goes by the wire');
  return flagNames(names.reduce((bits, name) => bits | FLAG[name], 0));
}

/** nft changes an option that is there, and adds none. */
function settingStatements(setting: OptionSetting, refuse: Refuse): readonly Statement[] {
  const why = 'sets the option where it is there: nft adds none';
  switch (setting.kind) {
    case 'mss':
      return [
        {
          text: `tcp option maxseg size set ${setting.mss}`,
          why: 'sets the MSS where the option is there; nft adds none, and lowers it only: what is smaller stays',
        },
      ];
    case 'timestamps':
      return [
        { text: `tcp option timestamp tsval set ${setting.tsVal}`, why },
        { text: `tcp option timestamp tsecr set ${setting.tsEcr}`, why },
      ];
    case 'windowScale':
      // nft_exthdr_tcp_set_init takes fields of two and four octets.
      refuse('windowScale', `the kernel sets no option of one octet: ${BY_THE_WIRE}`);
      return [];
    case 'sackPermitted':
      refuse('sackPermitted', `nft adds no option: ${BY_THE_WIRE}`);
      return [];
  }
}
