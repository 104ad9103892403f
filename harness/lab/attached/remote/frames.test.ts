import { expect } from 'chai';
import fc from 'fast-check';
import { FrameReader, frameOf } from './frames.js';

const VALUES = [
  { kind: 'answer', call: 1, value: 12n },
  [Uint8Array.of(1, 2, 3), new Float64Array([1.5, Number.NaN]), new Set(['a'])],
  undefined,
  'x'.repeat(100_000),
];

describe('frames', () => {
  it('come back as they were, wherever the stream is cut', () => {
    const stream = Buffer.concat(VALUES.map(frameOf));
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const reader = new FrameReader();
        const ends = [...new Set([...cuts, stream.length])].sort((a, b) => a - b);
        const read = ends.flatMap((end, i) => reader.take(stream.subarray(ends[i - 1] ?? 0, end)));
        expect(read).to.deep.equal(VALUES);
      }),
    );
  });

  it('come back as they were, an octet at a time', () => {
    const reader = new FrameReader();
    const value = { packet: Uint8Array.of(7, 8) };
    expect([...frameOf(value)].flatMap((octet) => reader.take(Uint8Array.of(octet)))).to.deep.equal([value]);
  });

  it('are told from what somebody else says', () => {
    expect(() => new FrameReader().take(Buffer.from('sh: lastack: not found'))).to.throw('no frame');
    expect(() => new FrameReader().take(Uint8Array.of(2, 0, 0, 0, 1, 2))).to.throw('no value');
  });
});
