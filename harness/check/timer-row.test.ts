import { expect } from 'chai';
import { timerRowOf } from './timer-row.js';

const VIRTUAL = { lab: 'virtual' };
const REAL = { lab: 'netns' };

describe('a row of gaps', () => {
  it('is explained by one time-out that doubles, each up to an eighth late', () => {
    const row = timerRowOf([204, 416, 832, 1664, 3392], VIRTUAL);
    expect(row?.doubling).to.equal(5);
    expect(row?.bound).to.equal(undefined);
    expect(row?.first.leastMs).to.be.closeTo(188.4, 0.1);
    expect(row?.first.mostMs).to.equal(205);
  });

  it('stays at a bound in the end', () => {
    const row = timerRowOf([26_112, 53_248, 106_496, 122_880, 122_880], VIRTUAL);
    expect(row?.doubling).to.equal(3);
    expect(row?.bound?.leastMs).to.be.closeTo(109_226, 1);
    expect(row?.bound?.mostMs).to.equal(122_881);
  });

  for (const [gapsMs, why] of [
    [[200, 400, 600, 800], 'growth by the same length each time'],
    [[200, 600, 1800], 'tripling'],
    [[1000, 2000, 900, 4000], 'a gap that shrinks'],
    [[200, 400, 800, 790, 810, 1600], 'growth behind a pause'],
    [[200, 400, 300, 300], 'a bound below what was reached'],
  ] as const)
    it(`is not explained where it shows ${why}`, () => {
      expect(timerRowOf(gapsMs, VIRTUAL)).to.equal(undefined);
    });

  it('is held to the tick in virtual time, and to a wake-up in real time', () => {
    const late = [200, 400, 800 * 1.125 + 100];
    expect(timerRowOf(late, VIRTUAL)).to.equal(undefined);
    expect(timerRowOf(late, REAL)?.doubling).to.equal(3);
    expect(timerRowOf([200, 390, 760], VIRTUAL)?.first.mostMs).to.equal(190.25);
  });
});
