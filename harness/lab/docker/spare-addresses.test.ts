import { expect } from 'chai';
import { spareAddresses } from './spare-addresses.js';

describe('the spare addresses of a network', () => {
  for (const [subnet, ipVersion, expected] of [
    ['172.18.0.0/16', 4, ['172.18.255.254', '172.18.255.253']],
    ['10.7.3.0/24', 4, ['10.7.3.254', '10.7.3.253']],
    ['fd00:1:2:3::/64', 6, ['fd00:1:2:3:ffff:ffff:ffff:fffe', 'fd00:1:2:3:ffff:ffff:ffff:fffd']],
  ] as const)
    it(`are near the end of ${subnet}`, () => {
      expect(spareAddresses([subnet], ipVersion)).to.deep.equal(expected);
    });

  it('are of the IP version that is asked for', () => {
    expect(spareAddresses(['10.7.3.0/24', 'fd00::/120'], 6)[0]).to.equal('fd00::fe');
    expect(() => spareAddresses(['10.7.3.0/24'], 6)).to.throw(RangeError, 'no IPv6 addresses');
  });

  it('are not to be had in the smallest of networks', () => {
    expect(() => spareAddresses(['10.7.3.0/30'], 4)).to.throw(RangeError, 'too small');
  });
});
