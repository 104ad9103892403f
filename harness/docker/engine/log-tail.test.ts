import { expect } from 'chai';
import { LogTail } from './log-tail.js';

describe('the tail of a log', () => {
  it('has the last lines', () => {
    const tail = new LogTail();
    for (const line of ['one\ntw', 'o\n', 'three\n']) tail.add(Buffer.from(line));
    expect(tail.text()).to.equal('one\ntwo\nthree');
    expect(tail.text(2)).to.equal('two\nthree');
  });

  it('forgets what came long ago', () => {
    const tail = new LogTail();
    for (let i = 0; i < 100; i += 1) tail.add(Buffer.alloc(10_000, String(i % 10)));
    tail.add(Buffer.from('end'));
    expect(tail.text().length).to.be.within(64 * 1024, 80_000);
    expect(tail.text()).to.match(/9end$/);
  });
});
