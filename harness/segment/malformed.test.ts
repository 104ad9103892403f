import { expect } from 'chai';
import fc from 'fast-check';
import { decode, encode } from './codec.js';
import { FUZZ_CORPUS } from './fuzz-corpus.js';
import { fromHex } from './hex.js';
import { makeSegment } from './make-segment.js';
import type { Problem } from './segment.js';

const V4 = encode(makeSegment({ payload: 'hello' }));
const V6 = encode(makeSegment({ src: '2001:db8::1', payload: 'hello' }));
const V6_EXTENDED = encode(
  makeSegment({ src: '2001:db8::1', ip: { nextHeader: 60, extensions: fromHex('0600010400000000') } }),
);

/** A copy with other octets at an offset. */
function patched(packet: Uint8Array, at: number, octets: string): Uint8Array {
  const copy = packet.slice();
  copy.set(fromHex(octets), at);
  return copy;
}

const MALFORMED: readonly [string, Uint8Array, Problem][] = [
  ['nothing', new Uint8Array(0), { layer: 'ip', at: 0, what: 'the packet is empty' }],
  ['IP version 5', patched(V4, 0, '55'), { layer: 'ip', at: 0, what: 'IP version 5 is neither 4 nor 6' }],
  [
    'a truncated IPv4 header',
    V4.subarray(0, 19),
    { layer: 'ip', at: 19, what: 'the packet ends in the IPv4 header, after 19 octets of 20' },
  ],
  [
    'an IHL below 5',
    patched(V4, 0, '44'),
    { layer: 'ip', at: 0, what: 'the IPv4 header length (IHL) is 16 octets, less than 20' },
  ],
  [
    'an IHL past the end',
    patched(V4, 0, '4f').subarray(0, 40),
    { layer: 'ip', at: 0, what: 'the IPv4 header length (IHL) is 60 octets in a packet of 40' },
  ],
  [
    'a total length below the header length',
    patched(V4, 2, '0013'),
    { layer: 'ip', at: 2, what: "the total length is 19 octets, less than the header's 20" },
  ],
  [
    'a total length of zero',
    patched(V4, 2, '0000'),
    { layer: 'ip', at: 2, what: "the total length is 0 octets, less than the header's 20" },
  ],
  [
    'a total length beyond the packet',
    V4.subarray(0, 44),
    { layer: 'ip', at: 2, what: 'the total length is 45 octets in a packet of 44' },
  ],
  [
    'a truncated IPv6 header',
    V6.subarray(0, 39),
    { layer: 'ip', at: 39, what: 'the packet ends in the IPv6 header, after 39 octets of 40' },
  ],
  [
    'a payload length beyond the packet',
    V6.subarray(0, 60),
    { layer: 'ip', at: 4, what: 'the payload length is 25 octets, of which 20 came' },
  ],
  [
    'an extension header past the end',
    patched(V6_EXTENDED, 41, '03'),
    { layer: 'ip', at: 41, what: 'the extension header (60) has 32 octets, of which 28 came' },
  ],
  [
    'a truncated extension header',
    patched(V6_EXTENDED, 4, '0007'),
    { layer: 'ip', at: 47, what: 'the packet ends in the extension header (60) at 40' },
  ],
  [
    'a truncated TCP header',
    patched(V4, 2, '0027'),
    { layer: 'tcp', at: 39, what: 'the packet ends in the TCP header, after 19 octets of 20' },
  ],
  [
    'no TCP header at all',
    patched(V6, 4, '0000'),
    { layer: 'tcp', at: 40, what: 'the packet ends in the TCP header, after 0 octets of 20' },
  ],
  [
    'a data offset below 5',
    patched(V4, 32, '40'),
    { layer: 'tcp', at: 32, what: 'the data offset is 4 words, less than 5' },
  ],
  [
    'a data offset of zero',
    patched(V6, 52, '00'),
    { layer: 'tcp', at: 52, what: 'the data offset is 0 words, less than 5' },
  ],
  [
    'a data offset past the end',
    patched(V4, 32, '70'),
    { layer: 'tcp', at: 32, what: 'the data offset is 7 words (28 octets) in a segment of 25 octets' },
  ],
];

describe('malformed packets', () => {
  for (const [name, packet, problem] of MALFORMED) {
    it(`are named with layer, offset and reason: ${name}`, () => {
      const decoded = decode(packet);
      expect(decoded).to.deep.include({ kind: 'malformed', problem });
      // Where the IP header is sound, it tells whose segment it was.
      expect('ip' in decoded).to.equal(problem.layer === 'tcp');
    });
  }

  it('never throw, wherever a sound packet is cut', () => {
    for (const packet of FUZZ_CORPUS) {
      for (let size = 0; size < packet.length; size++) {
        expect(decode(packet.subarray(0, size)).kind).to.equal('malformed');
      }
    }
  });
});

describe('packets that are no segments', () => {
  it('are another protocol, with what they carry', () => {
    const decoded = decode(patched(V4, 9, '11'));
    expect(decoded).to.deep.include({
      kind: 'other',
      protocol: 17,
      fragment: false,
      payload: V4.subarray(20),
    });
  });

  for (const [name, fragmentation] of [
    ['first', '2000'],
    ['middle', '2001'],
    ['last', '00b9'],
  ] as const) {
    it(`are IPv4 fragments: the ${name}`, () => {
      expect(decode(patched(V4, 6, fragmentation))).to.deep.include({
        kind: 'other',
        protocol: 6,
        fragment: true,
      });
    });
  }

  it('are IPv6 fragments', () => {
    const extensions = fromHex('0600000100000007');
    const packet = encode(
      makeSegment({ src: '2001:db8::1', ip: { nextHeader: 44, extensions }, payload: 'part' }),
    );
    const decoded = decode(packet);
    expect(decoded).to.deep.include({
      kind: 'other',
      protocol: 6,
      fragment: true,
      payload: packet.subarray(48),
    });
  });

  it('are not atomic fragments, which are whole (RFC 6946)', () => {
    const extensions = fromHex('0600000000000007');
    const packet = encode(
      makeSegment({ src: '2001:db8::1', ip: { nextHeader: 44, extensions }, payload: 'all' }),
    );
    expect(decode(packet)).to.deep.include({ kind: 'segment', checksumOk: { ip: true, tcp: true } });
  });
});

describe('a packet under way', () => {
  it('may carry its segment behind an authentication header, which counts words', () => {
    const extensions = fromHex('06010000 00000001 00000002');
    const packet = encode(
      makeSegment({ src: '2001:db8::1', ip: { nextHeader: 51, extensions }, payload: 'all' }),
    );
    expect(decode(packet)).to.deep.include({ kind: 'segment', checksumOk: { ip: true, tcp: true } });
  });

  it('may be followed by a link’s padding, which is no part of it', () => {
    const padded = new Uint8Array(V4.length + 9).fill(0xee);
    padded.set(V4);
    expect(decode(padded)).to.deep.equal(decode(V4));
  });

  it('is read where it lies, without a copy', () => {
    const buffer = Buffer.alloc(100, 0xee);
    buffer.set(V4, 14);
    const decoded = decode(buffer.subarray(14, 14 + V4.length));
    expect(decoded).to.deep.equal(decode(V4));
    if (decoded.kind !== 'segment') throw new Error(decoded.kind);
    expect(decoded.segment.payload.buffer).to.equal(buffer.buffer);
    expect(decoded.segment.payload.constructor).to.equal(Uint8Array);
  });

  it('shows any single bit that was changed in what a checksum covers', () => {
    fc.assert(
      fc.property(fc.constantFrom(V4, V6), fc.nat(), fc.nat(7), (packet, place, bit) => {
        const copy = packet.slice();
        const at = place % packet.length;
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        const decoded = decode(copy);
        // IPv6 has no checksum of its own: its first eight octets are in no sum but for the length.
        if (decoded.kind !== 'segment' || (packet === V6 && at < 8)) return;
        expect(decoded.checksumOk.ip && decoded.checksumOk.tcp, `octet ${at}`).to.equal(false);
      }),
    );
  });
});
