import { expect } from 'chai';
import { complement, includes, intersection, rangesOf } from './ranges.js';

describe('ranges', () => {
  it('are those of the numbers of a match, joined, and cut off at the most', () => {
    expect(rangesOf(7, 9)).to.deep.equal([{ from: 7, to: 7 }]);
    expect(rangesOf(10, 9)).to.deep.equal([]);
    expect(rangesOf([5, 1, 2, 2, 11], 9)).to.deep.equal([
      { from: 1, to: 2 },
      { from: 5, to: 5 },
    ]);
    expect(rangesOf({ from: 3 }, 9)).to.deep.equal([{ from: 3, to: 9 }]);
    expect(rangesOf({ from: 3, to: 100 }, 9)).to.deep.equal([{ from: 3, to: 9 }]);
  });

  it('have a complement that has all others', () => {
    const some = rangesOf([0, 3, 4, 9], 9);
    const others = complement(some, 9);
    for (let n = 0; n <= 9; n += 1) expect(includes(others, n)).to.equal(!includes(some, n));
    expect(complement([], 9)).to.deep.equal([{ from: 0, to: 9 }]);
    expect(complement(rangesOf({ from: 0 }, 9), 9)).to.deep.equal([]);
  });

  it('intersect in what both have', () => {
    const one = rangesOf([1, 2, 3, 7, 8], 9);
    const other = rangesOf([3, 4, 8, 9], 9);
    for (let n = 0; n <= 9; n += 1)
      expect(includes(intersection(one, other), n)).to.equal(includes(one, n) && includes(other, n));
  });
});
