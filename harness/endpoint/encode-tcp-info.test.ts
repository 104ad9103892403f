import { expect } from 'chai';
import { encodeTcpInfo } from './encode-tcp-info.js';
import { Loopback } from './loopback-fixture.js';
import { decodeTcpInfo, type TcpInfo } from './tcp-info.js';

describe('TCP_INFO in octets', () => {
  /** What a shorter struct does not have is undefined. */
  const withoutTail = (info: TcpInfo): Partial<TcpInfo> => {
    const names = Object.keys(info);
    return Object.fromEntries(Object.entries(info).slice(0, names.indexOf('minRttUs') + 1));
  };

  it('is what it was, up to the least round trip', async () => {
    await using loopback = new Loopback(4);
    const { client, server } = await loopback.pair();
    await client.send('abcde');
    await server.receive();
    await server.send('back');
    await client.receive();
    for (const info of [await client.info(), await server.info()]) {
      const again = decodeTcpInfo(encodeTcpInfo(info));
      expect(withoutTail(again)).to.deep.equal(withoutTail(info));
      expect(again.bytesSent).to.equal(undefined);
    }
  });
});
