import { expect } from 'chai';
import { NANOS_PER_MS } from './clock.js';
import { RealClock } from './real-clock.js';

describe('RealClock', () => {
  const clock = new RealClock(process.hrtime.bigint());

  it('counts nanoseconds from its epoch', () => {
    const before = Number(process.hrtime.bigint() - clock.epochNs);
    const now = clock.now();
    expect(now).to.be.within(before, Number(process.hrtime.bigint() - clock.epochNs));
  });

  it('never calls early', async () => {
    for (const delayMs of [0, 0.3, 1, 2.7]) {
      const atNs = clock.now() + delayMs * NANOS_PER_MS;
      await new Promise<void>((resolve) => clock.at(atNs, resolve));
      expect(clock.now()).to.be.at.least(atNs);
    }
  });

  it('forgets a cancelled call', async () => {
    let called = false;
    clock
      .at(clock.now(), () => {
        called = true;
      })
      .cancel();
    await new Promise<void>((resolve) => clock.at(clock.now() + NANOS_PER_MS, resolve));
    expect(called).to.equal(false);
  });
});
