import { expect } from 'chai';
import { fuzzHost } from './fuzz-host.js';
import { fuzzState } from './fuzz-states.js';
import { BLOCK_STATES } from './states.js';

/** `npm run fuzz` sends a million. */
const SEGMENTS = 5000;
const SEED = 20_261_128;

describe(`${SEGMENTS} hostile segments into each state`, function () {
  this.timeout(120_000);

  for (const state of ['CLOSED', 'LISTEN'] as const)
    it(`a host in ${state} answers legally, and keeps no more than its backlog`, () => {
      const report = fuzzHost({ state, segments: SEGMENTS, seed: SEED });
      expect(report.replies).to.be.above(SEGMENTS / 10);
      if (state === 'LISTEN') expect(report.accepted).to.be.above(10);
    });

  for (const state of BLOCK_STATES)
    it(`a connection in ${state} answers legally, and does not grow`, () => {
      const report = fuzzState({ state, segments: SEGMENTS, seed: SEED });
      expect(report.replies).to.be.above(SEGMENTS / 10);
      expect(report.compared).to.be.above(20);
    });

  it('the same seed gives the same segments', () => {
    const options = { state: 'ESTABLISHED', segments: 500, seed: 5 } as const;
    expect(fuzzState(options)).to.deep.equal(fuzzState(options));
    expect(fuzzState(options)).not.to.deep.equal(fuzzState({ ...options, seed: 6 }));
  });
});
