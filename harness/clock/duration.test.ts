import { expect } from 'chai';
import { durationMs, durationText } from './duration.js';

describe('lengths of time', () => {
  for (const [text, ms] of [
    ['300ms', 300],
    ['1s', 1000],
    ['1.5 s', 1500],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['250us', 0.25],
    ['40', 40],
  ] as const) {
    it(`reads ${text}`, () => expect(durationMs(text)).to.equal(ms));
  }

  it('takes a number as milliseconds', () => expect(durationMs(7)).to.equal(7));

  for (const text of ['', 'soon', '-1s', '1 day', 'Infinity', '1e3']) {
    it(`refuses "${text}"`, () => expect(() => durationMs(text)).to.throw(RangeError, `"${text}"`));
  }

  it('writes them short', () => {
    expect([0, 0.25, 300, 1500].map(durationText)).to.deep.equal(['0ms', '250us', '300ms', '1.5s']);
  });
});
