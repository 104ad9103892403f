/** For property tests: matches that one segment decides, and what segments have that such matches ask for. */
import fc from 'fast-check';
import { type Match, type Numbers, SIDES } from '../../fault/index.js';
import type { TcpOption } from '../../segment/index.js';

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'] as const;
const KINDS = [
  'eol',
  'nop',
  'mss',
  'windowScale',
  'sackPermitted',
  'sack',
  'timestamps',
  'fastOpen',
  'userTimeout',
  'md5',
  'ao',
] as const;

const some = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<{ [K in keyof T]?: T[K] }>; // as in the faults' own property test

const numbers = (most: number): fc.Arbitrary<Numbers> =>
  fc.oneof(
    fc.nat(most),
    fc.array(fc.nat(most), { minLength: 1, maxLength: 4 }),
    fc.nat(most).map((from) => ({ from })),
    fc.tuple(fc.nat(most), fc.nat(most)).map(([from, more]) => ({ from, to: from + more })),
  );
const flags = fc.uniqueArray(fc.constantFrom(...FLAGS), { maxLength: 3 });
const kinds = fc.uniqueArray(fc.constantFrom(...KINDS), { maxLength: 1 });
const octets = fc.uint8Array({ min: 0, max: 2, minLength: 1, maxLength: 5 });

/** Any match that one segment decides. */
export const match: fc.Arbitrary<Match> = fc.letrec<{ match: Match }>((tie) => ({
  match: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    some<Pick<Required<Match>, 'role' | 'sender' | 'flags' | 'options' | 'payload' | 'window'>>({
      role: fc.constantFrom('syn', 'syn-ack', 'fin', 'rst', 'data', 'pure-ack'),
      sender: fc.constantFrom(...SIDES),
      flags: some({ all: flags, none: flags, exactly: flags }),
      options: some({ present: kinds, absent: kinds, mss: numbers(0xffff), windowScale: numbers(255) }),
      payload: some({
        length: numbers(12),
        containsHex: octets.map((each) => Buffer.from(each).toString('hex')),
      }),
      window: fc.constantFrom<Numbers>(0, { from: 1 }),
    }),
    tie('match').map((not) => ({ not })),
    fc.array(tie('match'), { minLength: 1, maxLength: 2 }).map((allOf) => ({ allOf })),
    fc.array(tie('match'), { minLength: 1, maxLength: 2 }).map((anyOf) => ({ anyOf })),
  ),
})).match;

export const words = (most: number, max = 255) =>
  fc.nat(most).chain((count) => fc.uint8Array({ minLength: 4 * count, maxLength: 4 * count, max }));

export const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constant({ kind: 'nop' } as const),
  fc.constant({ kind: 'sackPermitted' } as const),
  fc.nat(0xffff).map((mss) => ({ kind: 'mss', mss }) as const),
  fc.nat(255).map((shift) => ({ kind: 'windowScale', shift }) as const),
  fc.nat(255).map((tsVal) => ({ kind: 'timestamps', tsVal, tsEcr: 7 }) as const),
  fc.uint8Array({ maxLength: 5 }).map((data) => ({ kind: 'unknown', number: 77, data }) as const),
  fc.uint8Array({ maxLength: 5 }).map((cookie) => ({ kind: 'fastOpen', cookie }) as const),
);
