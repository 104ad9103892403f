import { expect } from 'chai';
import { loseSubset } from './exhaustive-loss.js';
import { STORIES } from './stories.js';

describe('what the simulation found', () => {
  it('two sides that both have a FIN and miss the data before it do not answer each other without end', () => {
    // Lost: a SYN,ACK and the data of both sides.
    const { packets } = loseSubset({ story: STORIES['both close at once'], segments: 8 }, 0b10010010);
    expect(packets).to.be.below(30);
  });
});
