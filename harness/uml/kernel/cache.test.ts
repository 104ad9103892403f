import { expect } from 'chai';
import { cacheFolder } from './cache.js';

describe('the cache folder', () => {
  for (const [env, folder] of [
    [{ LASTACK_CACHE: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' }, '/a'],
    [{ LASTACK_CACHE: '', XDG_CACHE_HOME: '/b', HOME: '/c' }, '/b/lastack'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/c' }, '/c/.cache/lastack'],
    [{ HOME: '/c' }, '/c/.cache/lastack'],
  ] as const)
    it(`is ${folder} with ${JSON.stringify(env)}`, () => expect(cacheFolder(env)).to.equal(folder));

  it('is absolute, whatever the working folder is later', () => {
    expect(cacheFolder({ LASTACK_CACHE: 'here' })).to.equal(`${process.cwd()}/here`);
  });
});
