import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { stayOnOneProcessor } from './processor.js';

/** As the kernel lists them: `0-3,8`. */
const allowed = (): string =>
  /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';

describe('staying on one processor', () => {
  it('is for as long as it is asked for', () => {
    const before = allowed();
    const leave = stayOnOneProcessor();
    expect(allowed()).to.match(/^\d+$/);
    leave();
    expect(allowed()).to.equal(before);
  });

  it('is on different ones for different numbers, where there are several', function () {
    const isOne = /^\d+$/.test(allowed());
    if (isOne) this.skip();
    const stays = [0, 1].map((number) => {
      const leave = stayOnOneProcessor(number);
      const here = allowed();
      leave();
      return here;
    });
    expect(stays[0]).to.match(/^\d+$/);
    expect(stays[1]).to.match(/^\d+$/).and.not.equal(stays[0]);
  });
});
