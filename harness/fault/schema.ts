/** The schema of faults that come from outside: files, the command line, another machine. */
import { z } from 'zod';
import { nearNames } from '../text/index.js';
import type { Action, OptionSetting, SegmentChange, SeqPoint } from './action.js';
import type { Fault } from './fault.js';
import type { Match, Numbers } from './match.js';
import { isSeqPoint } from './seq-point.js';
import { FLAG_NAMES, NUMBER_FIELDS, OPTION_KINDS, ROLE_WORDS, SIDES } from './words.js';

const maybe = z.exactOptional;

const word = <const T extends readonly string[]>(words: T, what: string) =>
  z.enum(words, {
    error: ({ input }) => {
      const guess = typeof input === 'string' ? nearNames(input, words)[0] : undefined;
      return `${JSON.stringify(input)} is no ${what}${guess === undefined ? `: write one of ${words.join(', ')}` : `; did you mean "${guess}"?`}`;
    },
  });

const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const error = `write a whole number ${most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of ${least} or more`}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

const milliseconds = z.number({ error: 'write a number of milliseconds' }).nonnegative({
  error: 'write a number of milliseconds that is not negative',
});

/** One error for all forms: that of each would say nothing of the others. */
const numbers = (least: number): z.ZodType<Numbers> =>
  z.union(
    [
      wholeFrom(least),
      z.array(wholeFrom(least)).nonempty(),
      z
        .strictObject({ from: wholeFrom(least), to: maybe(wholeFrom(least)) })
        .refine(({ from, to }) => to === undefined || to >= from),
    ],
    { error: `write a whole number of ${least} or more, a list of them, or {from, to}` },
  );

const side = word(SIDES, 'side');
const flags = z.array(word(FLAG_NAMES, 'TCP flag'), { error: 'write a list of flags, such as [SYN, ACK]' });
const optionKind = word(OPTION_KINDS, 'TCP option');
const optionKinds = z.array(optionKind, { error: 'write a list of options, such as [mss, timestamps]' });
const hex = z.string().regex(/^([0-9a-fA-F]{2})+$/, { error: 'write pairs of hexadecimal digits' });

const text = z.string().min(1, { error: 'write some text' });

export const matchSchema: z.ZodType<Match> = z.lazy(() =>
  z.strictObject({
    role: maybe(word(ROLE_WORDS, 'role')),
    sender: maybe(side),
    flow: maybe(numbers(1)),
    flags: maybe(z.strictObject({ all: maybe(flags), none: maybe(flags), exactly: maybe(flags) })),
    nth: maybe(numbers(1)),
    copies: maybe(
      z.union([numbers(1), z.literal('every')], {
        error: 'write which copies: a whole number of 1 or more, a list of them, {from, to}, or "every"',
      }),
    ),
    atMost: maybe(wholeFrom(1)),
    relSeq: maybe(numbers(0)),
    relAck: maybe(numbers(0)),
    covers: maybe(wholeFrom(0)),
    window: maybe(numbers(0)),
    options: maybe(
      z.strictObject({
        present: maybe(optionKinds),
        absent: maybe(optionKinds),
        mss: maybe(numbers(0)),
        windowScale: maybe(numbers(0)),
        tsVal: maybe(numbers(0)),
        tsEcr: maybe(numbers(0)),
      }),
    ),
    payload: maybe(
      z.strictObject({ length: maybe(numbers(0)), contains: maybe(text), containsHex: maybe(hex) }),
    ),
    since: maybe(
      z.strictObject({
        event: maybe(matchSchema),
        atLeastMs: maybe(milliseconds),
        atMostMs: maybe(milliseconds),
      }),
    ),
    acknowledges: maybe(matchSchema),
    allOf: maybe(z.array(matchSchema)),
    anyOf: maybe(z.array(matchSchema)),
    not: maybe(matchSchema),
  }),
);

const seqPoint = z.custom<SeqPoint>(
  (value) =>
    typeof value === 'string'
      ? isSeqPoint(value)
      : Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32,
  { error: 'write a sequence number, or iss, next or same, with +N or -N behind it' },
);

const field = (name: keyof typeof NUMBER_FIELDS) => maybe(wholeFrom(0, 2 ** NUMBER_FIELDS[name] - 1));

const optionSetting: z.ZodType<OptionSetting> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mss'), mss: wholeFrom(0, 0xffff) }),
  z.strictObject({ kind: z.literal('windowScale'), shift: wholeFrom(0, 0xff) }),
  z.strictObject({ kind: z.literal('sackPermitted') }),
  z.strictObject({
    kind: z.literal('timestamps'),
    tsVal: wholeFrom(0, 0xffff_ffff),
    tsEcr: wholeFrom(0, 0xffff_ffff),
  }),
]);

const change: z.ZodType<SegmentChange> = z.strictObject({
  seq: maybe(seqPoint),
  ack: maybe(seqPoint),
  flags: maybe(flags),
  window: field('window'),
  srcPort: field('srcPort'),
  dstPort: field('dstPort'),
  ttl: field('ttl'),
  urgentPointer: field('urgentPointer'),
  payload: maybe(z.string()),
  payloadHex: maybe(hex),
  setOptions: maybe(z.array(optionSetting)),
  removeOptions: maybe(optionKinds),
});

export const actionSchema: z.ZodType<Action> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('drop') }),
  z.strictObject({ kind: z.literal('delay'), byMs: milliseconds }),
  z.strictObject({ kind: z.literal('hold'), until: maybe(matchSchema) }),
  z.strictObject({
    kind: z.literal('duplicate'),
    copies: maybe(wholeFrom(1, 1000)),
    afterMs: maybe(milliseconds),
  }),
  z.strictObject({ kind: z.literal('reorder'), after: wholeFrom(1) }),
  z.strictObject({ kind: z.literal('rewrite'), set: change }),
  z.strictObject({ kind: z.literal('corrupt-checksum') }),
  z.strictObject({ kind: z.literal('truncate'), toOctets: wholeFrom(0) }),
  z.strictObject({
    kind: z.literal('inject'),
    sender: maybe(side),
    segment: change,
    afterMs: maybe(milliseconds),
  }),
  z.strictObject({ kind: z.literal('replay'), of: matchSchema, afterMs: maybe(milliseconds) }),
]);

/** A fault whose id may still have to be made. */
export const faultDraftSchema = z.strictObject({
  id: maybe(text),
  match: matchSchema,
  action: actionSchema,
  times: maybe(wholeFrom(1)),
});

export const faultSchema: z.ZodType<Fault> = faultDraftSchema.required({ id: true });
