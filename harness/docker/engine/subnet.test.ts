import { expect } from 'chai';
import { EngineError } from './engine-error.js';
import { freeSubnetV4, randomSubnetV6 } from './subnet.js';

describe('a subnet for a network of containers', () => {
  it('is one of 10.192.0.0/10', () => {
    expect(freeSubnetV4([], () => 0)).to.equal('10.192.0.0/24');
    expect(freeSubnetV4([], () => 0.999999)).to.equal('10.255.255.0/24');
  });

  it('overlaps none that is taken, be that wider or narrower', () => {
    const next = [0, 1 / 2 ** 14, 0.5];
    const subnet = freeSubnetV4(['10.192.0.7/32', '10.192.1.0/25', 'fd00::/64'], () => next.shift() ?? 0);
    expect(subnet).to.equal('10.224.0.0/24');
  });

  it('is refused where all are taken', () => {
    expect(() => freeSubnetV4(['10.0.0.0/8'])).to.throw(EngineError, /no free subnet/);
  });

  it('of IPv6 is a unique local /64', () => {
    expect(randomSubnetV6(() => 0.5)).to.equal('fd6c:6173:8000:8000::/64');
  });
});
