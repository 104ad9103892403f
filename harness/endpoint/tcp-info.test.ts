import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { Loopback } from './loopback-fixture.js';
import { decodeTcpInfo } from './tcp-info.js';

describe('TCP_INFO', () => {
  let loopback: Loopback;
  beforeEach(() => {
    loopback = new Loopback(4);
  });
  afterEach(() => loopback[Symbol.asyncDispose]());

  it('agrees with what ss reads of the same connection', async () => {
    const { client, server } = await loopback.pair();
    await client.send('abcde');
    await server.receive();
    const line = loopback.namespace.run(() =>
      execFileSync('ss', ['-tinHO', `sport = :${client.local.port}`], { encoding: 'utf8' }),
    );
    const info = await client.info();
    const shown = (name: string) => Number(new RegExp(`\\b${name}:(\\d+(\\.\\d+)?)`).exec(line)?.[1]);
    expect({
      rto: info.rtoUs / 1000,
      mss: info.sndMssOctets,
      pmtu: info.pmtuOctets,
      rcvmss: info.rcvMssOctets,
      advmss: info.advmssOctets,
      cwnd: info.sndCwnd,
      bytes_sent: info.bytesSent,
      segs_out: info.segsOut,
      segs_in: info.segsIn,
      data_segs_out: info.dataSegsOut,
      delivered: info.delivered,
      rcv_space: info.rcvSpaceOctets,
      rcv_ssthresh: info.rcvSsthreshOctets,
      snd_wnd: info.sndWndOctets,
    }).to.deep.equal({
      rto: shown('rto'),
      mss: shown('mss'),
      pmtu: shown('pmtu'),
      rcvmss: shown('rcvmss'),
      advmss: shown('advmss'),
      cwnd: shown('cwnd'),
      bytes_sent: shown('bytes_sent'),
      segs_out: shown('segs_out'),
      segs_in: shown('segs_in'),
      data_segs_out: shown('data_segs_out'),
      delivered: shown('delivered'),
      rcv_space: shown('rcv_space'),
      rcv_ssthresh: shown('rcv_ssthresh'),
      snd_wnd: shown('snd_wnd'),
    });
    expect(line).to.include(`wscale:${info.sndWscale},${info.rcvWscale}`);
  });

  it('knows the data, the state and the options of a connection', async () => {
    const { client, server } = await loopback.pair();
    await client.send('abcde');
    await client.shutdown('write');
    await server.receiveAll();
    await loopback.until(async () => (await client.state()) === 'FIN-WAIT-2');
    const [sender, receiver] = [await client.info(), await server.info()];
    expect(sender).to.include({ state: 'FIN-WAIT-2', caState: 'open', bytesSent: 5, totalRetrans: 0 });
    expect(receiver).to.include({ state: 'CLOSE-WAIT', bytesReceived: 6, dataSegsIn: 1 });
    expect(sender.options).to.include({ timestamps: true, sack: true, windowScale: true, ecn: false });
  });

  it('has undefined for what an older kernel does not give', () => {
    const whole = new Uint8Array(280).fill(1);
    const old = decodeTcpInfo(whole.subarray(0, 104));
    expect(old.totalRetrans).to.equal(0x01010101);
    expect(old.bytesAcked).to.equal(undefined);
    expect(decodeTcpInfo(whole.subarray(0, 232)).sndWndOctets).to.equal(0x01010101);
    expect(decodeTcpInfo(whole.subarray(0, 232)).rcvWndOctets).to.equal(undefined);
    expect(() => decodeTcpInfo(whole.subarray(0, 100))).to.throw(RangeError, '100 octets');
  });

  it('reads the last octets as the kernel of that release writes them', () => {
    const bytes = new Uint8Array(280);
    bytes[0] = 1;
    bytes.set([0b0101_10_10, 0xcd, 0, 0], 276);
    expect(decodeTcpInfo(bytes, '6.18.1')).to.include({ accecnFailMode: 0xcd5a, ecnMode: undefined });
    expect(decodeTcpInfo(bytes, '7.3.0')).to.include({
      accecnFailMode: 5,
      accecnOptSeen: 2,
      ecnMode: 'accecn',
      options2: 0xcd,
    });
  });

  it('shows a pacing rate without limit and a minimum without sample as undefined', () => {
    const bytes = new Uint8Array(280).fill(0xff);
    bytes[0] = 1;
    const info = decodeTcpInfo(bytes);
    expect([info.maxPacingRateOctetsPerSecond, info.minRttUs]).to.deep.equal([undefined, undefined]);
  });
});
