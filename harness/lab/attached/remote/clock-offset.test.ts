import { expect } from 'chai';
import fc from 'fast-check';
import { type ClockSample, driftedErrorNs, estimateOffset } from './clock-offset.js';

/** A question under way for `there`, and its answer for `back`. */
const sample = (offsetNs: number, there: number, back: number): ClockSample => ({
  beforeNs: 1000n,
  theirsNs: BigInt(1000 + there + offsetNs),
  afterNs: BigInt(1000 + there + back),
});

describe("the offset of another machine's clock", () => {
  it('is exact where the ways there and back take the same time', () => {
    expect(estimateOffset([sample(-70_000, 400, 400)])).to.deep.equal({ offsetNs: -70_000n, errorNs: 401 });
  });

  it('is told by the shortest round trip', () => {
    const samples = [sample(5000, 9000, 100), sample(5000, 50, 50), sample(5000, 100, 9000)];
    expect(estimateOffset(samples)).to.deep.equal({ offsetNs: 5000n, errorNs: 51 });
  });

  it('is never further off than it says', () => {
    const ns = fc.nat(10_000_000);
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.tuple(ns, ns), { minLength: 1 }), (offset, ways) => {
        const estimate = estimateOffset(ways.map(([there, back]) => sample(offset, there, back)));
        expect(Math.abs(Number(estimate.offsetNs) - offset)).to.be.at.most(estimate.errorNs);
      }),
    );
  });

  it('is not known without a sample', () => {
    expect(() => estimateOffset([])).to.throw('nobody has told the time');
  });

  it('makes times uncertain by what it has drifted since', () => {
    const used = { offsetNs: 100n, errorNs: 10 };
    expect(driftedErrorNs(used, { offsetNs: 100n, errorNs: 3 })).to.equal(10);
    expect(driftedErrorNs(used, { offsetNs: 40n, errorNs: 5 })).to.equal(65);
  });
});
