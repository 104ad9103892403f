import { expect } from 'chai';
import fc from 'fast-check';
import { TimerQueue } from './timer-queue.js';

describe('TimerQueue', () => {
  it('makes the calls that are due, in the order of their times', () => {
    const queue = new TimerQueue();
    const made: string[] = [];
    queue.at(30, () => made.push('c'));
    queue.at(10, () => made.push('a'));
    queue.at(20, () => made.push('b'));
    expect(queue.nextNs()).to.equal(10);
    expect(queue.runDue(20)).to.equal(2);
    expect(made).to.deep.equal(['a', 'b']);
    expect(queue.nextNs()).to.equal(30);
  });

  it('makes calls of equal time in the order in which they were asked for', () => {
    const queue = new TimerQueue();
    const made: number[] = [];
    for (let i = 0; i < 20; i += 1) queue.at(5, () => made.push(i));
    queue.runDue(5);
    expect(made).to.deep.equal(Array.from({ length: 20 }, (_, i) => i));
  });

  it('forgets a cancelled call, also when it is cancelled twice or after it was made', () => {
    const queue = new TimerQueue();
    let made = 0;
    const cancelled = queue.at(1, () => {
      made += 1;
    });
    const kept = queue.at(2, () => {
      made += 10;
    });
    cancelled.cancel();
    cancelled.cancel();
    expect(queue.nextNs()).to.equal(2);
    queue.runDue(2);
    kept.cancel();
    expect(made).to.equal(10);
    expect(queue.nextNs()).to.equal(undefined);
  });

  it('makes calls that a call asks for, if they are due as well', () => {
    const queue = new TimerQueue();
    const made: string[] = [];
    queue.at(1, () => {
      made.push('first');
      queue.at(1, () => made.push('again'));
      queue.at(9, () => made.push('later'));
    });
    queue.runDue(1);
    expect(made).to.deep.equal(['first', 'again']);
  });

  it('keeps the order for any times and cancellations', () => {
    const entries = fc.array(fc.record({ atNs: fc.nat(50), isCancelled: fc.boolean() }));
    fc.assert(
      fc.property(entries, (asked) => {
        const queue = new TimerQueue();
        const made: number[] = [];
        asked.forEach(({ atNs, isCancelled }, i) => {
          const timer = queue.at(atNs, () => made.push(i));
          if (isCancelled) timer.cancel();
        });
        queue.runDue(50);
        const wanted = asked
          .map((entry, i) => ({ ...entry, i }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((a, b) => a.atNs - b.atNs || a.i - b.i)
          .map(({ i }) => i);
        expect(made).to.deep.equal(wanted);
      }),
    );
  });
});
