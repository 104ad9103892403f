import { expect } from 'chai';
import { didYouMean, nearNames } from './near-names.js';

describe('near names', () => {
  const ROLES = ['final-ack', 'active-fin', 'passive-fin', 'syn', 'syn-ack'];

  for (const [mistyped, meant] of [
    ['fnal-ack', 'final-ack'],
    ['Final-Ack', 'final-ack'],
    ['snyack', 'syn-ack'],
    ['sny', 'syn'],
    ['pasive-fin', 'passive-fin'],
  ] as const)
    it(`finds ${meant} for ${mistyped}`, () => expect(nearNames(mistyped, ROLES)).to.deep.equal([meant]));

  it('finds nothing for a name that is like none', () => {
    expect(nearNames('window', ROLES)).to.deep.equal([]);
    expect(didYouMean('window', ROLES)).to.equal('');
  });

  it('asks for all that are equally near', () => {
    expect(didYouMean('TCP_KEEPIDL', ['TCP_KEEPIDLE', 'TCP_KEEPIDLX'])).to.equal(
      ': did you mean "TCP_KEEPIDLE" or "TCP_KEEPIDLX"?',
    );
  });
});
