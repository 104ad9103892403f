import { expect } from 'chai';
import { Turns } from './turns.js';

const allQueued = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('are taken in the order in which they were asked for, so many at once', async () => {
    const turns = new Turns(2);
    const taken: number[] = [];
    const ends: (() => void)[] = [];
    for (let i = 0; i < 5; i += 1)
      void turns.take().then((end) => {
        taken.push(i);
        ends.push(end);
      });
    await allQueued();
    expect(taken).to.deep.equal([0, 1]);
    ends[1]?.();
    await allQueued();
    expect(taken).to.deep.equal([0, 1, 2]);
    for (const end of ends.splice(0)) end();
    await allQueued();
    expect(taken).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('end once: ending one again lets nobody in', async () => {
    const turns = new Turns(1);
    const end = await turns.take();
    end();
    end();
    await turns.take();
    let isIn = false;
    void turns.take().then(() => {
      isIn = true;
    });
    await allQueued();
    expect(isIn).to.equal(false);
  });
});
