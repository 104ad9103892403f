import { expect } from 'chai';
import fc from 'fast-check';
import { finishChecksum, wordSum } from './checksum.js';
import { fromHex } from './hex.js';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The definition, word by word with the carry added at once (RFC 1071 section 4.1). */
function plainChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

describe('the Internet checksum', () => {
  it('is that of the example in RFC 1071 section 3', () => {
    const view = viewOf(fromHex('0001 f203 f4f5 f6f7'));
    expect(finishChecksum(wordSum(view, 0, 8))).to.equal(0x220d);
  });

  it('agrees with the definition for any octets at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(9), (bytes, offset) => {
        const packet = new Uint8Array(offset + bytes.length + 5).fill(0xa5);
        packet.set(bytes, offset);
        const sum = wordSum(viewOf(packet), offset, offset + bytes.length);
        expect(finishChecksum(sum)).to.equal(plainChecksum(bytes));
      }),
    );
  });

  it('holds for the largest packet of the largest octets', () => {
    for (const size of [65535, 65534]) {
      const bytes = new Uint8Array(size).fill(0xff);
      expect(finishChecksum(wordSum(viewOf(bytes), 0, size))).to.equal(plainChecksum(bytes));
    }
  });
});
