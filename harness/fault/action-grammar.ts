/** Faults in the one-line form: a verb, what it picks, and what the verb needs to know. */
import type { Action, OptionSetting, SegmentChange, SeqPoint } from './action.js';
import { flagList, list } from './clause-grammar.js';
import type { Fault } from './fault.js';
import type { Match } from './match.js';
import { readMatch } from './match-grammar.js';
import { isSeqPoint } from './seq-point.js';
import type { TokenReader } from './token-reader.js';
import { NUMBER_FIELD_NAMES, OPTION_KINDS, SIDES } from './words.js';

export type FaultDraft = Omit<Fault, 'id'>;
type Deed = { readonly match: Match; readonly action: Action };

export const VERBS = [
  'drop',
  'delay',
  'hold',
  'duplicate',
  'reorder',
  'rewrite',
  'corrupt',
  'truncate',
  'inject',
  'replay',
] as const;
type Verb = (typeof VERBS)[number];

const READERS: Readonly<Record<Verb, (reader: TokenReader) => Deed>> = {
  drop: (reader) => ({ match: readMatch(reader), action: { kind: 'drop' } }),
  delay: (reader) => {
    const match = readMatch(reader);
    reader.expect('by', ' and a time such as 300ms');
    return { match, action: { kind: 'delay', byMs: reader.durationMs() } };
  },
  hold: (reader) => {
    const match = readMatch(reader);
    return { match, action: { kind: 'hold', ...(reader.skip('until') && { until: readMatch(reader) }) } };
  },
  duplicate: (reader) => {
    const match = readMatch(reader);
    const copies = reader.skip('into') ? { copies: readCopies(reader) } : {};
    return { match, action: { kind: 'duplicate', ...copies, ...readAfter(reader) } };
  },
  reorder: (reader) => {
    const match = readMatch(reader);
    reader.expect('after', ' and a number of others');
    const after = reader.number('how many others it is to come after');
    if (!reader.skip('other')) reader.expect('others');
    return { match, action: { kind: 'reorder', after } };
  },
  rewrite: (reader) => {
    const set = readChanges(reader);
    reader.expect('of', ' and what to rewrite');
    return { match: readMatch(reader), action: { kind: 'rewrite', set } };
  },
  corrupt: (reader) => {
    if (reader.skip('checksum')) reader.expect('of', ' and what to corrupt');
    return { match: readMatch(reader), action: { kind: 'corrupt-checksum' } };
  },
  truncate: (reader) => {
    const match = readMatch(reader);
    reader.expect('to', ' and a number of octets');
    const toOctets = reader.number('a number of octets');
    if (!reader.skip('octets')) reader.skip('bytes');
    return { match, action: { kind: 'truncate', toOctets } };
  },
  inject: (reader) => {
    const flags = reader.skip('segment') ? {} : { flags: flagList(reader) };
    const sender = reader.skip('from') ? { sender: reader.oneOf(SIDES, 'a side') } : {};
    const changes = reader.skip('with') ? readChanges(reader) : {};
    reader.expect('on', ' and the segment that it comes behind');
    const match = readMatch(reader);
    return {
      match,
      action: { kind: 'inject', segment: { ...flags, ...changes }, ...sender, ...readAfter(reader) },
    };
  },
  replay: (reader) => {
    const of = readMatch(reader);
    reader.expect('on', ' and the segment that it comes behind');
    return { match: readMatch(reader), action: { kind: 'replay', of, ...readAfter(reader) } };
  },
};

export function readFault(reader: TokenReader): FaultDraft {
  const verb = reader.oneOf(VERBS, 'an action');
  const deed = READERS[verb](reader);
  const times = readTimes(reader);
  if (!reader.is('end')) reader.fail('the end of the fault, "once" or "3 times", or another clause');
  return { ...deed, ...(times !== undefined && { times }) };
}

function readTimes(reader: TokenReader): number | undefined {
  if (reader.skip('once')) return 1;
  if (reader.skip('twice')) return 2;
  if (!reader.is('number')) return undefined;
  const times = reader.number('how often');
  if (times === 0) reader.fail('"1 time" or more');
  if (!reader.skip('time')) reader.expect('times');
  return times;
}

/** `into 3`: itself and two more. */
function readCopies(reader: TokenReader): number {
  const all = reader.number('how many it becomes');
  if (all < 2) reader.fail('2 or more, the segment itself among them');
  return all - 1;
}

const readAfter = (reader: TokenReader): { afterMs?: number } =>
  reader.skip('after') ? { afterMs: reader.durationMs() } : {};

const FIELDS = [
  'seq',
  'ack',
  'flags',
  ...NUMBER_FIELD_NAMES,
  'payload',
  'payloadHex',
  'mss',
  'windowScale',
  'sackPermitted',
  'timestamps',
  'remove',
] as const;
type Field = (typeof FIELDS)[number];

/** `window=0, seq=iss+1, mss=1400, remove=timestamps` */
function readChanges(reader: TokenReader): SegmentChange {
  let changes: SegmentChange = {};
  const said = new Set<string>();
  do {
    const field = reader.oneOf(FIELDS, 'a field to set');
    if (said.has(field)) reader.fail(`something other than a second ${field}`);
    said.add(field);
    reader.expect('=');
    changes = { ...changes, ...readChange(reader, field, changes) };
  } while (reader.skip(','));
  return changes;
}

function readChange(reader: TokenReader, field: Field, { setOptions = [] }: SegmentChange): SegmentChange {
  const setting = (option: OptionSetting): SegmentChange => ({ setOptions: [...setOptions, option] });
  switch (field) {
    case 'seq':
    case 'ack':
      return { [field]: readSeqPoint(reader) };
    case 'flags':
      return { flags: flagList(reader) };
    case 'payload':
      return { payload: reader.string('text in quotes') };
    case 'payloadHex':
      return { payloadHex: reader.string('hexadecimal digits in quotes') };
    case 'remove':
      return { removeOptions: list(reader, OPTION_KINDS, 'an option') };
    case 'mss':
      return setting({ kind: 'mss', mss: reader.number('a segment size') });
    case 'windowScale':
      return setting({ kind: 'windowScale', shift: reader.number('a shift') });
    case 'sackPermitted':
      reader.expect('on');
      return setting({ kind: 'sackPermitted' });
    case 'timestamps':
      return setting(readTimestamps(reader));
    default:
      return { [field]: reader.number('a number') };
  }
}

/** `TSval:TSecr` */
function readTimestamps(reader: TokenReader): OptionSetting {
  const tsVal = reader.number('TSval:TSecr');
  reader.expect(':', ' and TSecr');
  return { kind: 'timestamps', tsVal, tsEcr: reader.number('TSecr') };
}

function readSeqPoint(reader: TokenReader): SeqPoint {
  if (reader.is('number')) return reader.number('a sequence number');
  const base = reader.oneOf(['iss', 'next', 'same'], 'a sequence number or one in words');
  if (!reader.isAny(['+', '-'])) return base;
  const point = `${base}${reader.next().text}${reader.number('an offset')}`;
  return isSeqPoint(point) ? point : reader.fail('an offset of at most ten digits');
}
