import { expect } from 'chai';
import { libc } from '../../sys/index.js';
import { AddressPool, MAX_LABS } from '../lab-addresses.js';
import { claimBlock } from './address-block.js';

describe('addresses of labs', () => {
  it('are clean for the first lab of each IP version', () => {
    const ips = ([4, 6] as const).map((ipVersion) => {
      const addresses = new AddressPool(0).take(ipVersion);
      return [addresses.ip('client'), addresses.ip('server')];
    });
    expect(ips).to.deep.equal([
      ['198.18.0.1', '198.18.0.2'],
      ['fd00::1', 'fd00::2'],
    ]);
  });

  it('lie in 198.18.0.0/15 for the last lab of the last block', () => {
    const pool = new AddressPool(127);
    const all = Array.from({ length: MAX_LABS }, () => pool.take(4).ip('server'));
    expect(all.at(-1)).to.equal('198.19.255.254');
  });

  it('are different for all labs of a block, of either IP version', () => {
    const pool = new AddressPool(3);
    const ips = Array.from({ length: MAX_LABS }, (_, i) => {
      const addresses = pool.take(i % 2 === 0 ? 4 : 6);
      return [addresses.ip('client'), addresses.ip('server')];
    }).flat();
    expect(new Set(ips).size).to.equal(2 * MAX_LABS);
  });

  it('run out with one clear sentence', () => {
    const pool = new AddressPool(0);
    for (let i = 0; i < MAX_LABS; i += 1) pool.take(4);
    expect(() => pool.take(4)).to.throw(`${MAX_LABS} labs are open in this process`);
  });

  it('come again last when they are given back', () => {
    const pool = new AddressPool(0);
    const first = pool.take(4);
    const ip = first.ip('client');
    first[Symbol.dispose]();
    const next = Array.from({ length: MAX_LABS }, () => pool.take(4).ip('client'));
    expect(next.indexOf(ip)).to.equal(MAX_LABS - 1);
  });

  it('are of another block for another claim, until the first is given back', () => {
    const one = claimBlock();
    const other = claimBlock(one.block);
    expect(other.block).to.not.equal(one.block);
    libc.close(one.fd);
    const again = claimBlock(one.block);
    expect(again.block).to.equal(one.block);
    libc.close(other.fd);
    libc.close(again.fd);
  });
});
