import { expect } from 'chai';
import { Patience } from './patience.js';

/** Nothing comes: whether it watched for long before it let the thread sleep. */
function watchesInVain(patience: Patience): boolean {
  const watched = patience.lasts(30_000);
  patience.lasts(200_000);
  return watched;
}

describe('Patience', () => {
  it('watches for long as long as that pays', () => {
    const patience = new Patience({ mayWatch: true });
    for (let i = 0; i < 10; i += 1) {
      expect(patience.lasts(30_000)).to.equal(true);
      patience.paidOff();
    }
  });

  it('watches less and less often in vain, but always again', () => {
    const patience = new Patience({ mayWatch: true });
    const watched = Array.from({ length: 200 }, () => watchesInVain(patience));
    const gaps = watched.flatMap((did, i) => (did ? [i] : [])).map((at, i, all) => at - (all[i - 1] ?? 0));
    expect(gaps.slice(1)).to.satisfy((all: number[]) => all.every((gap, i) => gap >= (all[i - 1] ?? 0)));
    expect(Math.max(...gaps)).to.be.within(16, 33);
  });

  it('watches always again once a watch has paid off', () => {
    const patience = new Patience({ mayWatch: true });
    for (let i = 0; i < 100; i += 1) watchesInVain(patience);
    while (!patience.lasts(30_000));
    patience.paidOff();
    expect(patience.lasts(30_000)).to.equal(true);
  });

  it('never watches where there is but one core', () => {
    expect(new Patience({ mayWatch: false }).lasts(0)).to.equal(false);
  });
});
