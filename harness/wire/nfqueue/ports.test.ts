import { expect } from 'chai';
import { encode, makeSegment, type SegmentInit } from '../../segment/index.js';
import { sideOfPacket } from './ports.js';

const PORT = 5432;
const packet = (init: SegmentInit): Uint8Array => encode(makeSegment(init));
const V6 = { src: '2001:db8::1', dst: '2001:db8::2' } as const;

describe('the side that a packet comes from', () => {
  for (const [version, addresses] of [
    ['IPv4', {}],
    ['IPv6', V6],
  ] as const) {
    it(`is told by the server's port (${version})`, () => {
      const toServer = packet({ ...addresses, srcPort: 40_000, dstPort: PORT });
      const fromServer = packet({ ...addresses, srcPort: PORT, dstPort: 40_000 });
      expect(sideOfPacket(toServer, PORT, 'input')).to.equal('client');
      expect(sideOfPacket(fromServer, PORT, 'output')).to.equal('server');
    });

    it(`is nobody's for another port (${version})`, () => {
      expect(sideOfPacket(packet({ ...addresses, srcPort: 1, dstPort: 2 }), PORT, 'input')).to.equal(
        undefined,
      );
    });
  }

  it('is told by the hook where both ends have the port', () => {
    const between = packet({ srcPort: PORT, dstPort: PORT });
    expect(sideOfPacket(between, PORT, 'output')).to.equal('server');
    expect(sideOfPacket(between, PORT, 'input')).to.equal('client');
  });

  it('is found behind IPv4 options', () => {
    const plain = packet({ srcPort: 40_000, dstPort: PORT });
    const withOptions = new Uint8Array(plain.length + 4);
    withOptions.set(plain.subarray(0, 20));
    withOptions.set(plain.subarray(20), 24);
    withOptions[0] = 0x46;
    expect(sideOfPacket(withOptions, PORT, 'input')).to.equal('client');
  });

  it("is nobody's of what is no packet", () => {
    expect(sideOfPacket(new Uint8Array(0), PORT, 'input')).to.equal(undefined);
    expect(sideOfPacket(Uint8Array.of(0x45, 0, 0), PORT, 'input')).to.equal(undefined);
  });
});
