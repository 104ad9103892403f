import { expect } from 'chai';
import { humanTime } from './human-time.js';

describe('humanTime', () => {
  it('tells times as people do', () => {
    expect(
      [0.314, 204.4, 999.7, 1624, 9996, 60_000, 119_960, 724_000, 7_200_000, 7_860_000].map(humanTime),
    ).to.deep.equal([
      '0.31 ms',
      '204 ms',
      '1.00 s',
      '1.62 s',
      '10.0 s',
      '60.0 s',
      '2 min',
      '12 min 4 s',
      '2 h',
      '2 h 11 min',
    ]);
  });
});
