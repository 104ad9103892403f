/** Arbitrary segments for property tests: every field over its whole range, with options that fit a header. */
import fc from 'fast-check';
import { optionsLength } from './encode-options.js';
import { ipv4Text, ipv6Text } from './ip-address.js';
import { MAX_OPTION_OCTETS } from './option-numbers.js';
import type { IpHeader, Segment, TcpOption } from './segment.js';
import { seqNumber } from './sequence.js';

const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const seq = uint(32).map(seqNumber);
const octets = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const words = (most: number) => fc.nat(most).chain((count) => octets(4 * count));

const ipv4: fc.Arbitrary<IpHeader> = fc.record({
  version: fc.constant(4 as const),
  src: octets(4).map((bytes) => ipv4Text(bytes)),
  dst: octets(4).map((bytes) => ipv4Text(bytes)),
  ttl: uint(8),
  trafficClass: uint(8),
  identification: uint(16),
  dontFragment: fc.boolean(),
  checksum: uint(16),
  options: words(10),
});

const ipv6: fc.Arbitrary<IpHeader> = fc.record({
  version: fc.constant(6 as const),
  src: octets(16).map((bytes) => ipv6Text(bytes)),
  dst: octets(16).map((bytes) => ipv6Text(bytes)),
  ttl: uint(8),
  trafficClass: uint(8),
  flowLabel: uint(20),
  extensions: fc.constant(new Uint8Array(0)),
  nextHeader: fc.constant(6),
});

const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constant({ kind: 'nop' } as const),
  fc.constant({ kind: 'sackPermitted' } as const),
  fc.record({ kind: fc.constant('mss' as const), mss: uint(16) }),
  fc.record({ kind: fc.constant('windowScale' as const), shift: uint(8) }),
  fc.record({
    kind: fc.constant('sack' as const),
    blocks: fc.array(fc.record({ left: seq, right: seq }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('timestamps' as const), tsVal: uint(32), tsEcr: uint(32) }),
  fc.record({ kind: fc.constant('fastOpen' as const), cookie: octets(0, 16) }),
  fc.record({
    kind: fc.constant('userTimeout' as const),
    granularity: fc.constantFrom('seconds' as const, 'minutes' as const),
    timeout: uint(15),
  }),
  fc.record({ kind: fc.constant('md5' as const), digest: octets(16) }),
  fc.record({ kind: fc.constant('ao' as const), data: octets(2, 20) }),
  fc.record({
    kind: fc.constant('unknown' as const),
    number: fc.integer({ min: 35, max: 255 }),
    data: octets(0, 12),
  }),
);

/** As many of some options as a header has room for, ended by EOL where they do not fill a word. */
const options: fc.Arbitrary<readonly TcpOption[]> = fc.array(option, { maxLength: 8 }).map((some) => {
  const fitting: TcpOption[] = [];
  for (const one of some) {
    if (optionsLength([...fitting, one]) <= MAX_OPTION_OCTETS) fitting.push(one);
  }
  return optionsLength(fitting) % 4 === 0 ? fitting : [...fitting, { kind: 'eol' }];
});

export const arbitrarySegment: fc.Arbitrary<Segment> = fc.record({
  ip: fc.oneof(ipv4, ipv6),
  srcPort: uint(16),
  dstPort: uint(16),
  seq,
  ack: seq,
  flags: uint(12),
  window: uint(16),
  checksum: uint(16),
  urgentPointer: uint(16),
  options,
  payload: octets(0, 80),
});
