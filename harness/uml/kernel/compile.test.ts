import { expect } from 'chai';
import { expectedSteps, firstError } from './compile.js';

describe('what a compiler says', () => {
  for (const [what, lines, line] of [
    [
      'the first error of the compiler',
      [
        '  CC      a.o',
        'a.c:1:2: error: no such thing',
        'a.c:3:4: error: another',
        'make: *** [Makefile:1: a.o] Error 1',
      ],
      'a.c:1:2: error: no such thing',
    ],
    ['a missing header', ['a.c:1:10: fatal error: x.h: No such file or directory'], /x\.h/],
    [
      'a missing function',
      ["ld: a.o: undefined reference to `f'", 'collect2: error: ld returned 1'],
      /undefined/,
    ],
    ["make's own complaint", ['make: *** No rule to make target `linux`.  Stop.'], /No rule/],
    ['nothing', ['  CC      a.o'], /did not say why/],
  ] as const)
    it(`is told by ${what}`, () => {
      if (typeof line === 'string') expect(firstError(lines)).to.equal(line);
      else expect(firstError(lines)).to.match(line);
    });

  it('is as much as the nearest version before said', () => {
    expect(expectedSteps('6.12.117')).to.equal(expectedSteps('6.17.1'));
    expect(expectedSteps('5.9.1')).to.equal(expectedSteps('5.10.1'));
    expect(expectedSteps('8.0.1')).to.be.above(100);
  });
});
