import { expect } from 'chai';
import { startOfProcess } from './process-start.js';

describe('the start of a process', () => {
  it('is a number of ticks, the same each time, and none where there is no process', () => {
    expect(startOfProcess(process.pid)).to.match(/^\d+$/).and.to.equal(startOfProcess(process.pid));
    expect(startOfProcess(2 ** 22 + 1)).to.equal(undefined);
  });
});
