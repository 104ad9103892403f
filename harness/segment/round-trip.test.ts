import { expect } from 'chai';
import fc from 'fast-check';
import { arbitrarySegment } from './arbitrary-segment.js';
import { decode, encode } from './codec.js';
import { fromHex } from './hex.js';
import { makeSegment } from './make-segment.js';
import type { Segment } from './segment.js';

function segmentOf(packet: Uint8Array): Segment {
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error(`read as ${decoded.kind}`);
  return decoded.segment;
}

describe('a round trip', () => {
  it('gives any segment back, field for field, with its own checksums', () => {
    fc.assert(
      fc.property(arbitrarySegment, (segment) => {
        expect(segmentOf(encode(segment, { checksums: 'keep' }))).to.deep.equal(segment);
      }),
      { numRuns: 500 },
    );
  });

  it('gives any segment right checksums and nothing else new, when they are computed', () => {
    fc.assert(
      fc.property(arbitrarySegment, (segment) => {
        const decoded = decode(encode(segment));
        if (decoded.kind !== 'segment') throw new Error(`read as ${decoded.kind}`);
        expect(decoded.checksumOk).to.deep.equal({ ip: true, tcp: true });
        const { checksum } = decoded.segment;
        const ip = segment.ip.version === 4 ? decoded.segment.ip : segment.ip;
        expect(decoded.segment).to.deep.equal({ ...segment, ip, checksum });
      }),
      { numRuns: 500 },
    );
  });

  it('gives a packet with any octets for options back, octet for octet', () => {
    const octets = fc.nat(10).chain((count) => fc.uint8Array({ minLength: 4 * count, maxLength: 4 * count }));
    fc.assert(
      fc.property(octets, fc.constantFrom('192.0.2.1', '2001:db8::1'), (options, src) => {
        const packet = encode(makeSegment({ src, options, payload: 'data' }));
        expect(packet.subarray(packet.length - 4 - options.length, packet.length - 4)).to.deep.equal(options);
        expect(encode(segmentOf(packet), { checksums: 'keep' })).to.deep.equal(packet);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps wrong checksums and shows them as wrong', () => {
    const segment = makeSegment({ checksum: 0x1234, ip: { checksum: 0x5678 } });
    const packet = encode(segment, { checksums: 'keep' });
    expect(decode(packet)).to.deep.equal({ kind: 'segment', segment, checksumOk: { ip: false, tcp: false } });
  });

  it('computes an IPv4 header checksum that the segment does not have', () => {
    const packet = encode(makeSegment({ checksum: 0x1234 }), { checksums: 'keep' });
    expect(decode(packet)).to.deep.include({ checksumOk: { ip: true, tcp: false } });
  });
});

describe('a segment that no packet can hold', () => {
  const impossible: readonly [() => Segment, string][] = [
    [
      () => makeSegment({ srcPort: 65536 }),
      'the source port is 65536: the field holds whole numbers from 0 to 65535',
    ],
    [() => makeSegment({ dstPort: -1 }), 'the destination port is -1'],
    [() => makeSegment({ window: 70000 }), 'the window is 70000'],
    [() => makeSegment({ flags: 0x1000 }), 'the flags number is 4096'],
    [() => makeSegment({ urgentPointer: NaN }), 'the urgent pointer is NaN'],
    [() => makeSegment({ ip: { ttl: 256 } }), 'the TTL is 256'],
    [() => makeSegment({ src: '::1', ip: { ttl: 256 } }), 'the hop limit is 256'],
    [() => makeSegment({ src: '::1', ip: { flowLabel: 2 ** 20 } }), 'the flow label is 1048576'],
    [() => makeSegment({ payload: new Uint8Array(65500) }), 'the total length of the IPv4 packet is 65540'],
    [
      () => makeSegment({ src: '::1', payload: new Uint8Array(65530) }),
      'the payload length of the IPv6 packet is 65550',
    ],
    [
      () => makeSegment({ ip: { options: fromHex('0101') } }),
      'the IPv4 options take 2 octets: give a multiple of 4 up to 40',
    ],
    [() => makeSegment({ src: '192.0.2.1', dst: '::1' }), '::1 is no address for a header of IPv4'],
    [() => makeSegment({ src: 'server' }), '"server" is no IP address'],
  ];
  for (const [make, message] of impossible) {
    it(`is refused by name: ${message}`, () => {
      expect(() => encode(make())).to.throw(RangeError, message);
    });
  }
});
