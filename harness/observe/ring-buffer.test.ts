import { expect } from 'chai';
import { parsePage } from './ring-buffer.js';

/** A page as the kernel writes it: stamp, octets of data, and 32-bit words. */
function page(stampNs: bigint, words: readonly number[], flags = 0): Uint8Array {
  const bytes = new Uint8Array(16 + words.length * 4);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, stampNs, true);
  view.setUint32(8, ((words.length * 4) | flags) >>> 0, true);
  words.forEach((word, i) => {
    view.setUint32(16 + i * 4, word >>> 0, true);
  });
  return bytes;
}

const header = (type: number, delta: number): number => ((delta << 5) | type) >>> 0;
const stampsOf = (bytes: Uint8Array) => parsePage(bytes).records.map(({ stampNs }) => stampNs);

describe('a page of the ring buffer', () => {
  it('gives its records with their stamps and data', () => {
    const { records, lostBefore } = parsePage(page(1000n, [header(1, 5), 0xabc, header(2, 7), 1, 2]));
    expect(records.map(({ stampNs, data }) => [stampNs, data.byteLength])).to.deep.equal([
      [1005n, 4],
      [1012n, 8],
    ]);
    expect(records[0]?.data.getUint32(0, true)).to.equal(0xabc);
    expect(lostBefore).to.equal(false);
  });

  it('adds up time that does not fit into a record, and takes absolute stamps', () => {
    expect(stampsOf(page(10n, [header(30, 3), 2, header(1, 1), 0]))).to.deep.equal([10n + (2n << 27n) + 4n]);
    expect(stampsOf(page(1n << 60n, [header(31, 9), 1, header(1, 1), 0]))).to.deep.equal([
      (1n << 60n) + (1n << 27n) + 10n,
    ]);
  });

  it('reads long records, passes over discarded ones, and stops at the filler', () => {
    expect(
      stampsOf(page(0n, [header(0, 4), 8, 77, header(29, 1), 4, header(1, 2), 5, header(29, 0), 9])),
    ).to.deep.equal([4n, 6n]);
  });

  it('says when events before it were lost', () => {
    expect(parsePage(page(0n, [], 0x80000000)).lostBefore).to.equal(true);
  });

  it('does not run past its end, whatever it holds', () => {
    expect(stampsOf(page(0n, [header(28, 1), 1]))).to.have.length(1);
    expect(stampsOf(page(0n, [header(0, 1)]))).to.deep.equal([]);
    expect(parsePage(new Uint8Array(3)).records).to.deep.equal([]);
  });
});
