/** What is written on an arrow: as much of it as there is room for, the essential first. */
import type { FaultMark, Role } from '../fault/index.js';
import { FLAG, flagsText, option } from '../segment/index.js';
import {
  faultName,
  faultText,
  isTcp,
  ordinal,
  roleName,
  rolesText,
  type SegmentEvent,
  type Trace,
} from '../trace/index.js';
import type { Glyphs } from './terminal.js';

/** These are named by their flags already. */
const PLAIN: ReadonlySet<Role> = new Set(['syn', 'syn-ack', 'data', 'pure-ack', 'rst']);
const BRIEF: Readonly<Partial<Record<Role, string>>> = {
  'active-fin': 'active FIN',
  'active-fin-ack': 'ACK of FIN',
  'passive-fin': 'passive FIN',
};

export interface LabelOptions {
  readonly glyphs: Glyphs;
  /** The trace has several connections: say which. */
  readonly numbered: boolean;
  /** What else is to be said, in several lengths, the fullest first. */
  readonly also: readonly string[];
}

/** Labels of a segment, the fullest first. */
export function labelsOf(event: SegmentEvent, options: LabelOptions): readonly string[] {
  if (!isTcp(event)) return [`not TCP, ${event.packet.length} octets`];
  const { facts } = event;
  const copy = facts.copy > 1 ? `${ordinal(facts.copy)} copy` : '';
  const full = rolesText(facts, (role) => (PLAIN.has(role) ? undefined : roleName(role)));
  const short = rolesText(facts, (role) => (PLAIN.has(role) ? undefined : (BRIEF[role] ?? roleName(role))));
  const numbers = `${options.numbered ? `#${facts.flow} ` : ''}${numbersText(event)}`;
  const write = (fields: string, ...remarks: readonly string[]) => {
    const remark = remarks.filter((text) => text !== '').join(', ');
    return remark === '' ? fields : `${fields}${options.glyphs.dot}${remark}`;
  };
  const [also = '', ...briefer] = options.also;
  return [
    write(`${numbers}${openingText(event)}`, full, also),
    write(numbers, full, also),
    write(numbers, short, also),
    ...briefer.flatMap((text) => [write(numbers, full, text), write(numbers, short, text)]),
    ...briefer.slice(-1).map((text) => write(flagsText(event.segment.flags), short, text)),
    write(numbers, short),
    write(flagsText(event.segment.flags), short),
    write(numbers, copy),
    numbers,
  ];
}

/** `PSH,ACK seq=1 ack=1 len=5`: the window only when it is shut. */
function numbersText(event: SegmentEvent): string {
  if (!isTcp(event)) return '';
  const { segment, facts } = event;
  const fields = [flagsText(segment.flags), `seq=${facts.relSeq ?? segment.seq}`];
  if ((segment.flags & FLAG.ACK) !== 0) fields.push(`ack=${facts.relAck ?? segment.ack}`);
  if (segment.payload.length > 0) fields.push(`len=${segment.payload.length}`);
  if (segment.window === 0 && (segment.flags & FLAG.RST) === 0) fields.push('win=0');
  return fields.join(' ');
}

/** What only an opening segment offers. */
function openingText({ segment }: SegmentEvent): string {
  if (segment === undefined || (segment.flags & FLAG.SYN) === 0) return '';
  const mss = option(segment, 'mss')?.mss;
  return ` win=${segment.window}${mss === undefined ? '' : ` mss=${mss}`}`;
}

/** `dropped by fault 1 (drop final-ack once)` and shorter. */
export function fateTexts(event: SegmentEvent, trace: Trace, otherwise: string): readonly string[] {
  if (event.faults.length === 0) return [otherwise];
  const join = (text: (mark: FaultMark) => string) => event.faults.map(text).join(', ');
  return [
    join((mark) => faultText(mark, trace)),
    join(({ what, fault }) => `${what} by ${faultName(fault, trace)}`),
    join(({ what }) => what),
  ];
}
