import { expect } from 'chai';
import { fuzz } from './fuzz.js';

describe('the codec under a million random and damaged packets', () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`answers a quarter of them with values and gives segments back octet for octet, seed ${seed}`, () => {
      const inputs = 250_000;
      const report = fuzz({ inputs, seed });
      expect(report.segments + report.others + report.malformed).to.equal(inputs);
      // The inputs must reach every kind of answer often, or they would test little.
      for (const kind of ['segments', 'badOptions', 'others', 'malformed'] as const) {
        expect(report[kind], kind).to.be.above(inputs / 50);
      }
    });
  }

  it('makes the same inputs from the same seed', () => {
    const once = fuzz({ inputs: 2000, seed: 77 });
    expect(fuzz({ inputs: 2000, seed: 77 })).to.deep.equal(once);
    expect(fuzz({ inputs: 2000, seed: 78 })).not.to.deep.equal({ ...once, seed: 78 });
  });
});
