import { expect } from 'chai';
import { compareVersions, fits, parseVersion } from './version.js';

describe('a kernel version', () => {
  it('is written in one of three forms', () => {
    expect(parseVersion('7.x')).to.deep.equal({ major: 7 });
    expect(parseVersion('5.10')).to.deep.equal({ major: 5, minor: 10 });
    expect(parseVersion('6.12.117')).to.deep.equal({ major: 6, minor: 12, patch: 117 });
  });

  for (const text of [
    '',
    '6',
    'x',
    '6.x.1',
    '6.12.',
    '6.12.1.2',
    'v6.12',
    '6.12-rc1',
    '6,12',
    '../6.12',
    '6.12\n',
  ])
    it(`is not ${JSON.stringify(text)}`, () => expect(parseVersion(text)).to.equal(undefined));

  for (const [release, text, isFitting] of [
    ['6.12.117', '6.12', true],
    ['6.12.117', '6.x', true],
    ['6.12.117', '6.12.117', true],
    ['6.12.117', '6.12.11', false],
    ['6.1.117', '6.12', false],
    ['7.3.4', '6.x', false],
    ['6.12', '6.12.0', true],
    ['6.12', '6.12', true],
  ] as const)
    it(`${text} ${isFitting ? 'means' : 'does not mean'} ${release}`, () =>
      expect(fits(release, parseVersion(text) ?? { major: -1 })).to.equal(isFitting));

  it('is older or newer by its numbers', () => {
    expect(['6.12.9', '5.10', '6.1.192', '6.12.117', '7.3', '5.9'].sort(compareVersions)).to.deep.equal([
      '5.9',
      '5.10',
      '6.1.192',
      '6.12.9',
      '6.12.117',
      '7.3',
    ]);
  });
});
