import { expect } from 'chai';
import { hasEnded, ownerLabel, parseOwner, thisProcess } from './owner-label.js';

const here = { machine: 'm', boot: 'b', pidNamespace: '1', pid: 10, start: '100' };

describe('the owner of a container', () => {
  it('is written and read again', () => {
    const own = thisProcess();
    expect(parseOwner(ownerLabel(own))).to.deep.equal(own);
    expect(own.pid).to.equal(process.pid);
    for (const label of ['', 'a:b', 'm:b:1:x:100', 'm:b:1:2:3:4'])
      expect(parseOwner(label)).to.equal(undefined);
  });

  it('lives while its pid has its start', () => {
    expect(hasEnded(thisProcess(), thisProcess())).to.equal(false);
  });

  for (const [what, owner, start, ended] of [
    ['has ended', {}, undefined, true],
    ['has ended, and its pid is another process now', {}, '101', true],
    ['has ended with the boot before', { boot: 'a' }, '100', true],
    ['of another machine cannot be told', { machine: 'n', boot: 'a' }, undefined, false],
    ['of another pid namespace cannot be told', { pidNamespace: '2' }, undefined, false],
  ] as const)
    it(`that ${what} ${ended ? 'is gone' : 'counts as living'}`, () => {
      expect(hasEnded({ ...here, pid: 20, ...owner }, here, () => start)).to.equal(ended);
    });
});
