import { expect } from 'chai';
import fc from 'fast-check';
import {
  isAcceptable,
  seqAdd,
  seqDiff,
  seqGeq,
  seqGt,
  seqInWindow,
  seqLeq,
  seqLt,
  seqNumber,
} from './sequence.js';

const anySeq = fc
  .oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff))
  .map(seqNumber);
/** A distance that the comparison can tell (RFC 9293 section 3.4): less than half the space. */
const distance = fc.integer({ min: 1, max: 0x7fffffff });

describe('sequence arithmetic', () => {
  it('takes any number modulo 2^32', () => {
    expect(seqNumber(0x100000005)).to.equal(5);
    expect(seqNumber(-1)).to.equal(0xffffffff);
    expect(seqAdd(seqNumber(0xffffffff), 1)).to.equal(0);
    expect(seqAdd(seqNumber(0), -1)).to.equal(0xffffffff);
  });

  it('sees what is added as the difference, across the wrap too', () => {
    fc.assert(
      fc.property(anySeq, fc.integer(), (a, n) => {
        expect(seqDiff(seqAdd(a, n), a)).to.equal(n);
      }),
    );
  });

  it('orders numbers less than half the space apart, across the wrap too', () => {
    fc.assert(
      fc.property(anySeq, distance, (a, n) => {
        const b = seqAdd(a, n);
        expect([seqLt(a, b), seqLeq(a, b), seqGt(b, a), seqGeq(b, a)]).to.deep.equal([
          true,
          true,
          true,
          true,
        ]);
        expect([seqLt(b, a), seqLeq(b, a), seqGt(a, b), seqGeq(a, b)]).to.deep.equal([
          false,
          false,
          false,
          false,
        ]);
      }),
    );
  });

  it('holds a number to be equal to itself', () => {
    fc.assert(
      fc.property(anySeq, (a) => {
        expect([seqLt(a, a), seqGt(a, a), seqLeq(a, a), seqGeq(a, a)]).to.deep.equal([
          false,
          false,
          true,
          true,
        ]);
      }),
    );
  });

  it('finds in a window what is counted from its start', () => {
    fc.assert(
      fc.property(anySeq, fc.nat(0x7fffffff), fc.nat(0x7fffffff), (start, offset, length) => {
        expect(seqInWindow(seqAdd(start, offset), start, length)).to.equal(offset < length);
        expect(seqInWindow(seqAdd(start, -1), start, length)).to.equal(false);
      }),
    );
  });
});

describe('the acceptability test of RFC 9293 section 3.10.7.4', () => {
  // [case, SEG.SEQ - RCV.NXT, SEG.LEN, RCV.WND, acceptable]
  const cases: readonly [string, number, number, number, boolean][] = [
    ['no data, zero window, at RCV.NXT', 0, 0, 0, true],
    ['no data, zero window, before RCV.NXT (a keep-alive)', -1, 0, 0, false],
    ['no data, zero window, behind RCV.NXT', 1, 0, 0, false],
    ['no data, at the left edge', 0, 0, 10, true],
    ['no data, at the last number of the window', 9, 0, 10, true],
    ['no data, behind the window', 10, 0, 10, false],
    ['no data, before the window', -1, 0, 10, false],
    ['data, zero window, at RCV.NXT', 0, 1, 0, false],
    ['data, zero window, old', -1, 1, 0, false],
    ['data that fills the window', 0, 10, 10, true],
    ['data that begins at the last number of the window', 9, 5, 10, true],
    ['data behind the window', 10, 1, 10, false],
    ['data that ends at the left edge', -3, 4, 10, true],
    ['data that ends before the left edge', -3, 3, 10, false],
    // Neither its first nor its last number is in the window: the table of the RFC says no.
    ['data that covers the whole window and more on both sides', -3, 20, 10, false],
  ];
  for (const rcvNxt of [1000, 0, 0xffffffff, 0xfffffff8, 5]) {
    for (const [name, offset, segLen, rcvWnd, acceptable] of cases) {
      it(`${acceptable ? 'accepts' : 'refuses'} ${name}, with RCV.NXT ${rcvNxt}`, () => {
        const receiver = { rcvNxt: seqNumber(rcvNxt), rcvWnd };
        expect(isAcceptable({ seq: seqNumber(rcvNxt + offset), segLen }, receiver)).to.equal(acceptable);
      });
    }
  }
});
