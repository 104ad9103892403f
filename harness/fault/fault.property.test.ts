import { expect } from 'chai';
import fc from 'fast-check';
import type { Action, SegmentChange } from './action.js';
import { Conversation } from './conversation.fixture.js';
import { FaultEngine } from './engine.js';
import type { Fault } from './fault.js';
import { faultLine, withId } from './fault-line.js';
import type { Match, Numbers } from './match.js';
import { parseFault } from './parse-fault.js';
import { PlanError } from './plan-error.js';
import { parsePlan } from './plan-file.js';
import { faultSchema } from './schema.js';
import { countSent, forgetOld, noRanges } from './sent-ranges.js';
import { FLAG_NAMES, NUMBER_FIELDS, OPTION_KINDS, ROLE_WORDS, SIDES } from './words.js';

type Optional<T> = { [K in keyof T]?: T[K] };

/** Any of the fields, in an order of their own. */
const some = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Optional<T>> =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Optional<T>>; // fast-check has no type for "any of these"

const count = (least: number) => fc.integer({ min: least, max: 2 ** 33 });
const numbers = (least: number): fc.Arbitrary<Numbers> =>
  fc.oneof(
    count(least),
    fc.array(count(least), { minLength: 1, maxLength: 4 }),
    count(least).map((from) => ({ from })),
    fc.tuple(count(least), fc.nat(1000)).map(([from, more]) => ({ from, to: from + more })),
  );
const role = fc.constantFrom(...ROLE_WORDS);
const side = fc.constantFrom(...SIDES);
const flags = fc.uniqueArray(fc.constantFrom(...FLAG_NAMES), { maxLength: 4 });
const kinds = fc.uniqueArray(fc.constantFrom(...OPTION_KINDS), { maxLength: 4 });
const ms = fc.oneof(
  fc.nat(100_000),
  fc.double({ min: 0, max: 1e6, noNaN: true }).map((n) => n + 0),
);
const text = fc.string({ minLength: 1, maxLength: 8, unit: 'binary' });
const hex = fc
  .uint8Array({ minLength: 1, maxLength: 8 })
  .map((octets) => Buffer.from(octets).toString('hex'));

const match: fc.Arbitrary<Match> = fc.letrec<{ match: Match }>((tie) => ({
  match: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    some<Match>({ role, sender: side }),
    some<Omit<Required<Match>, 'allOf' | 'anyOf'>>({
      role,
      sender: side,
      flow: numbers(1),
      flags: some({ all: flags, none: flags, exactly: flags }),
      nth: numbers(1),
      copies: fc.oneof(numbers(1), fc.constant('every' as const)),
      atMost: count(1),
      relSeq: numbers(0),
      relAck: numbers(0),
      covers: count(0),
      window: numbers(0),
      options: some({
        present: kinds,
        absent: kinds,
        mss: numbers(0),
        windowScale: numbers(0),
        tsVal: numbers(0),
        tsEcr: numbers(0),
      }),
      payload: some({ length: numbers(0), contains: text, containsHex: hex }),
      since: some({ event: tie('match'), atLeastMs: ms, atMostMs: ms }),
      acknowledges: tie('match'),
      not: tie('match'),
    }),
    tie('match').map((not) => ({ not })),
    fc.array(tie('match'), { minLength: 1, maxLength: 3 }).map((allOf) => ({ allOf })),
    fc.array(tie('match'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc
      .tuple(fc.array(tie('match'), { minLength: 2, maxLength: 3 }), numbers(1), side)
      .map(([anyOf, nth, sender]) => ({ anyOf, nth, sender })),
  ),
})).match;

const field = (bits: number) => fc.nat(2 ** bits - 1);
const seqPoint = fc.oneof(
  field(32).map((n) => n >>> 0),
  fc.constantFrom('iss', 'next', 'same', 'iss+1', 'next-100', 'same+2000000000'),
);
const change = some<Required<SegmentChange>>({
  seq: seqPoint,
  ack: seqPoint,
  flags,
  window: field(NUMBER_FIELDS.window),
  srcPort: field(16),
  dstPort: field(16),
  ttl: field(8),
  urgentPointer: field(16),
  payload: fc.string({ maxLength: 8 }),
  payloadHex: hex,
  setOptions: fc.array(
    fc.oneof(
      field(16).map((mss) => ({ kind: 'mss' as const, mss })),
      field(8).map((shift) => ({ kind: 'windowScale' as const, shift })),
      fc.constant({ kind: 'sackPermitted' as const }),
      fc.constant({ kind: 'timestamps' as const, tsVal: 1, tsEcr: 2 }),
    ),
    { maxLength: 3 },
  ),
  removeOptions: kinds,
} as {
  [K in keyof Required<SegmentChange>]: fc.Arbitrary<Required<SegmentChange>[K]>;
}) as fc.Arbitrary<SegmentChange>; // all fields of a change are optional

const after = some({ afterMs: ms });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.constant({ kind: 'drop' as const }),
  ms.map((byMs) => ({ kind: 'delay' as const, byMs })),
  some({ until: match }).map((rest) => ({ kind: 'hold' as const, ...rest })),
  some({ copies: fc.integer({ min: 1, max: 1000 }), afterMs: ms }).map((rest) => ({
    kind: 'duplicate' as const,
    ...rest,
  })),
  count(1).map((after) => ({ kind: 'reorder' as const, after })),
  change.map((set) => ({ kind: 'rewrite' as const, set })),
  fc.constant({ kind: 'corrupt-checksum' as const }),
  count(0).map((toOctets) => ({ kind: 'truncate' as const, toOctets })),
  fc
    .tuple(change, some({ sender: side }), after)
    .map(([segment, sender, late]) => ({ kind: 'inject' as const, segment, ...sender, ...late })),
  fc.tuple(match, after).map(([of, late]) => ({ kind: 'replay' as const, of, ...late })),
);

const fault: fc.Arbitrary<Fault> = fc
  .tuple(match, action, some({ times: count(1), id: text }))
  .map(([match, action, rest]) => withId({ match, action, ...rest }));

describe('any fault', () => {
  it('reads back from its line as the same fault', () => {
    fc.assert(
      fc.property(fault, (any) => {
        expect(parseFault(faultLine(any))).to.deep.equal(any);
      }),
      { numRuns: 500 },
    );
  });

  it('survives JSON, the schema, and a plan file', () => {
    fc.assert(
      fc.property(fault, (any) => {
        const text = JSON.stringify([any]);
        expect(faultSchema.parse(JSON.parse(text)[0])).to.deep.equal(any);
        expect(parsePlan(text, { file: 'plan.json' })).to.deep.equal([any]);
      }),
      { numRuns: 300 },
    );
  });

  it('can be met by any segments: each ends up somewhere, and none is made up', () => {
    const segments = fc.array(
      fc.record({
        from: side,
        flags: fc.constantFrom(
          'SYN',
          'SYN,ACK',
          'ACK',
          'PSH,ACK',
          'FIN,ACK',
          'RST',
          'RST,ACK',
          'FIN',
          'none',
        ),
        seq: fc.nat(12),
        ack: fc.nat(12),
        window: fc.constantFrom(0, 100),
        data: fc.constantFrom('', 'a', 'abcd'),
        lost: fc.boolean(),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(fc.array(fault, { maxLength: 4 }), segments, (faults, says) => {
        const engine = new FaultEngine(faults.map((each, i) => ({ ...each, id: String(i) })));
        const talk = new Conversation();
        const seen = new Set<number>();
        for (const { from, flags, lost, ...say } of says) {
          const arrival = talk.arrival(from, flags, say);
          const facts = talk.tracker.arrive(arrival);
          expect(facts.copy).to.be.at.least(1);
          expect(facts.original).to.be.at.most(arrival.id);
          if (!lost) talk.give(arrival);
          seen.add(arrival.id);
          const own = engine.arrive(arrival, facts).effects.filter((effect) => effect.kind !== 'inject');
          expect(own.some((effect) => effect.arrival === arrival.id)).to.equal(true);
          expect(own.every((effect) => seen.has(effect.arrival))).to.equal(true);
        }
        for (const { matched, acted } of engine.receipts()) expect(acted).to.be.at.most(matched);
      }),
      { numRuns: 300 },
    );
  });
});

describe('any text', () => {
  it('is a fault or a mistake that can be told', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'drop',
        'delay',
        'of',
        '1st',
        'and',
        'fin',
        '.',
        'server',
        '(',
        ')',
        '3',
        '10ms',
        'after',
        'or',
        'not',
        '=',
      ),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 10 }), (words) => {
        try {
          parseFault(words.join(' '));
        } catch (error) {
          expect(error).to.be.instanceOf(PlanError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is a plan or a mistake that can be told', () => {
    const piece = fc.constantFrom(
      '- ',
      '\n',
      'drop fin',
      'match: ',
      '{',
      '}',
      '[',
      ']',
      'action',
      ': ',
      'role',
      '"',
      '*a',
      '&a ',
      '  ',
      'not',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parsePlan(pieces.join(''), { file: 'x' });
        } catch (error) {
          expect(error).to.be.instanceOf(PlanError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the count of octets sent', () => {
  it('is that of counting each octet by itself', () => {
    const stretches = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 })), { maxLength: 60 });
    fc.assert(
      fc.property(stretches, (all) => {
        const sent = noRanges();
        const octets = new Map<number, { copy: number; original: number }>();
        for (const [id, [from, length]] of all.entries()) {
          for (let at = from; at < from + length; at += 1) {
            const known = octets.get(at);
            octets.set(at, { copy: (known?.copy ?? 0) + 1, original: known?.original ?? id });
          }
          expect(countSent(sent, from, from + length, id)).to.deep.equal(octets.get(from));
          forgetOld(sent, 30);
        }
      }),
    );
  });
});
