/**
 * A plan as filters and qdiscs of tc. A drop is a program of classic BPF at the clsact of an interface, in direct-action mode; a delay
 * and a duplicate are a netem behind a class of htb, into which such a program sorts. Classic BPF has no memory, so nothing is counted
 * here but by the kernel: each clsact and each netem keeps one count, which is why there is one fault to each.
 */
import { type Fault, SIDES, type Side } from '../../fault/index.js';
import { bytecode } from './cbpf.js';
import type { Command } from './command.js';
import { matchProgram, ProgramTooLarge } from './match-program.js';
import { actionName, NO_RULE } from './no-rule.js';
import { localFailureNotes, placeNotes } from './notes.js';
import { directionsOf, type RulePlace, versionsOf } from './place.js';
import { type Refusal, type Refuse, unique } from './refusal.js';
import type { Compiled } from './rule-set.js';
import { type Selection, selectionsOf, sendersOf } from './selection.js';
import { ownerNumber } from './tag-owner.js';

/** TC_ACT_SHOT, and TC_ACT_UNSPEC: the next filter decides. */
const SHOT = 2;
const NEXT_FILTER = 0xffff_ffff;
/** To where `flowid` says. */
const TO_CLASS = 0xffff_ffff;
const ETHERNET = 14;

/** Where our filter stands among those of a hook, and our handles: nobody takes these by chance. */
export const PREFERENCE = 47_001;
export const HTB = '4701:';
export const NETEM = '4702:';

type Hook = 'ingress' | 'egress';

export function compileTc(faults: readonly Fault[], place: RulePlace, tag: string): Compiled {
  const { selections, refusals: common } = selectionsOf(faults);
  const refusals: Refusal[] = [...common, ...sharedCounts(selections)];
  const parts: TcPart[] = selections.map((selection) => {
    const refuse: Refuse = (part, why) => refusals.push({ fault: selection.fault.id, part, why });
    refuseCounting(selection, refuse);
    return selection.fault.action.kind === 'drop'
      ? dropPart(selection, { place, tag }, refuse)
      : netemPart(selection, { place, tag }, refuse);
  });
  if (refusals.length > 0) return { kind: 'refused', refusals: unique(refusals) };
  return {
    kind: 'rules',
    rules: {
      dialect: 'tc',
      place,
      tag,
      faults,
      apply: parts.flatMap(({ apply }) => apply),
      remove: parts.flatMap(({ remove }) => remove),
      count: [{ argv: ['tc', '-s', '-j', 'qdisc', 'show', 'dev', place.interface ?? ''] }],
      notes: placeNotes(selections, place),
    },
  };
}

/** Of a filter; its owner where the tag has one. */
const handleOf = (tag: string): string => {
  const owner = ownerNumber(tag);
  return owner === undefined ? '1' : `0x${owner.toString(16)}`;
};

/** The htb is there before its filter, and has a number to spare: what r2q computes is given for each of our classes. */
const ownerWords = (tag: string): readonly string[] => {
  const owner = ownerNumber(tag);
  return owner === undefined ? [] : ['r2q', String(owner)];
};

interface Placed {
  readonly place: RulePlace;
  readonly tag: string;
}

interface TcPart {
  readonly apply: readonly Command[];
  readonly remove: readonly Command[];
}

function refuseCounting({ times, atMost, since, fault }: Selection, refuse: Refuse): void {
  const why = 'a filter of tc has no memory and counts nothing: go by iptables or nft';
  if (times !== undefined) refuse(times === 1 ? 'once' : `${times} times`, why);
  if (atMost !== undefined) refuse(atMost === 1 ? 'first' : `first ${atMost}`, why);
  if (since !== undefined) refuse('after or within', why);
  const { action } = fault;
  if (action.kind === 'drop' || action.kind === 'delay') return;
  if (action.kind !== 'duplicate')
    refuse(actionName(action), NO_RULE[action.kind] ?? 'it goes by nft (tcp … set), or by the wire');
  else if ((action.copies ?? 1) !== 1 || (action.afterMs ?? 0) !== 0)
    refuse('duplicate', 'netem makes one copy, and at once: it goes by the wire');
}

function sharedCounts(selections: readonly Selection[]): readonly Refusal[] {
  const isDrop = ({ fault }: Selection): boolean => fault.action.kind === 'drop';
  return [selections.filter(isDrop), selections.filter((each) => !isDrop(each))].flatMap(([, ...others]) =>
    others.map(({ fault }) => ({
      fault: fault.id,
      part: actionName(fault.action),
      why: 'tc counts all of them as one: one such fault to a plan, or go by iptables or nft',
    })),
  );
}

/** What an end's own interface shows of a side; between the ends it depends on the interface. */
function hooksOf(senders: readonly Side[], { side }: RulePlace): readonly Hook[] {
  if (side === 'between') return ['ingress', 'egress'];
  return SIDES.filter((sender) => senders.includes(sender))
    .map((sender): Hook => (sender === side ? 'egress' : 'ingress'))
    .sort()
    .reverse();
}

function programFor(
  selection: Selection,
  place: RulePlace,
  { yes, no }: { readonly yes: number; readonly no: number },
  refuse: Refuse,
): string {
  try {
    return bytecode(
      matchProgram(selection.terms, {
        base: ETHERNET,
        versions: versionsOf(place),
        directions: directionsOf(place),
        yes,
        no,
      }),
    );
  } catch (error) {
    if (!(error instanceof ProgramTooLarge)) throw error;
    refuse(selection.text, error.message);
    return '';
  }
}

const about = ({ number, text, notes }: Selection, ...more: readonly string[]): string =>
  [`fault ${number}: ${text}`, ...[...notes, ...more].map((note) => `note: ${note}`)].join('\n');

function dropPart(selection: Selection, { place, tag }: Placed, refuse: Refuse): TcPart {
  const device = ['dev', place.interface ?? ''];
  const program = programFor(selection, place, { yes: SHOT, no: NEXT_FILTER }, refuse);
  const filters = hooksOf(sendersOf(selection), place).map((hook) => {
    const place = [
      ...device,
      hook,
      'protocol',
      'all',
      'pref',
      String(PREFERENCE),
      'handle',
      handleOf(tag),
      'bpf',
    ];
    return { hook, place };
  });
  const told = localFailureNotes(selection, place);
  return {
    apply: [
      {
        argv: ['tc', 'qdisc', 'add', ...device, 'clsact'],
        why: 'a place for filters at what comes in and goes out',
      },
      ...filters.map(({ hook, place: words }, i) => ({
        argv: ['tc', 'filter', 'add', ...words, 'direct-action', 'bytecode', program],
        why: `${i === 0 ? `${about(selection, ...told)}\n` : ''}drops it at ${hook}; the clsact counts what it dropped`,
      })),
    ],
    remove: [
      ...filters.map(({ place: words }, i) => ({
        argv: ['tc', 'filter', 'del', ...words],
        ...(i === 0 && { why: 'the filter, by its preference and handle' }),
      })),
      {
        argv: ['tc', 'qdisc', 'del', ...device, 'clsact'],
        why: 'the place for filters, which was not there before',
      },
    ],
  };
}

/** netem works on what goes out. An end's own TCP sees a segment in its queue, and does not repeat it meanwhile. */
function netemPart(selection: Selection, { place, tag }: Placed, refuse: Refuse): TcPart {
  const { action } = selection.fault;
  const device = ['dev', place.interface ?? ''];
  if (place.side !== 'between' && sendersOf(selection).some((sender) => sender !== place.side))
    refuse(
      actionName(action),
      `netem works on what goes out, and this fault is about what comes in to the ${place.side}: name the sender's side, or an interface between (--side between)`,
    );
  const program = programFor(selection, place, { yes: TO_CLASS, no: 0 }, refuse);
  const netem = action.kind === 'delay' ? ['delay', `${action.byMs}ms`] : ['duplicate', '100%'];
  const note =
    place.side === 'between'
      ? []
      : [
          'a TCP does not repeat what still waits in its own queue: on an interface between (--side between) it does',
        ];
  const filter = [...device, 'parent', HTB, 'protocol', 'all', 'pref', '1', 'handle', '1', 'bpf'];
  return {
    apply: [
      {
        argv: [
          'tc',
          'qdisc',
          'add',
          ...device,
          'root',
          'handle',
          HTB,
          'htb',
          'default',
          '1',
          ...ownerWords(tag),
        ],
        why: 'two classes without a limit: what is left alone, and what is picked',
      },
      ...['1', '2'].map((minor) => ({
        argv: [
          'tc',
          'class',
          'add',
          ...device,
          'parent',
          HTB,
          'classid',
          `${HTB}${minor}`,
          'htb',
          'rate',
          '100gbit',
          'quantum',
          '60000',
        ],
      })),
      {
        argv: [
          'tc',
          'qdisc',
          'add',
          ...device,
          'parent',
          `${HTB}2`,
          'handle',
          NETEM,
          'netem',
          'limit',
          '100000',
          ...netem,
        ],
        why: `${about(selection, ...note)}\nand counts it when it leaves`,
      },
      {
        argv: ['tc', 'filter', 'add', ...filter, 'bytecode', program, 'flowid', `${HTB}2`],
        why: 'picks it',
      },
    ],
    remove: [
      {
        argv: ['tc', 'qdisc', 'del', ...device, 'root', 'handle', HTB, 'htb'],
        why: 'the classes, with all that is in them',
      },
    ],
  };
}
