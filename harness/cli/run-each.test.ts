import { expect } from 'chai';
import { argsFor } from './run-each.js';

describe('the command line of one stack among several', () => {
  it('is the same but for the stack and the folder', () => {
    const args = [
      'run',
      'long',
      '--endpoint',
      'linux@5.10',
      '--lab',
      'virtual',
      '--endpoint=linux@6.12',
      '--ip',
      '4',
    ];
    expect(argsFor(args, 'linux@6.12', 'out/linux@6.12')).to.deep.equal([
      'run',
      'long',
      '--lab',
      'virtual',
      '--ip',
      '4',
      '--endpoint',
      'linux@6.12',
      '--out',
      'out/linux@6.12',
    ]);
  });

  it('has no folder of the whole run left', () => {
    const args = ['run', '--out', 'mine', '--endpoint', 'a', '--endpoint', 'b'];
    expect(argsFor(args, 'b', 'mine/b')).to.deep.equal(['run', '--endpoint', 'b', '--out', 'mine/b']);
  });
});
