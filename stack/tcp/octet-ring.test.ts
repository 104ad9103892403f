import { expect } from 'chai';
import { OctetRing } from './octet-ring.js';

describe('a ring of octets', () => {
  it('and its copy grow alike, though the ring was larger once', () => {
    const ring = new OctetRing();
    ring.write(0, new Uint8Array(40_000), 0);
    ring.drop(40_000, 0);
    const copy = ring.clone();
    for (const each of [ring, copy]) each.write(0, new Uint8Array(10), 0);
    expect(copy.capacity).to.equal(ring.capacity);
  });
});
