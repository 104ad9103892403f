import { expect } from 'chai';
import { describeSegment, option, type Segment, segLen } from '../../segment/index.js';
import { ExpectationFailed } from './expectation-failed.js';
import { linkedPeers } from './linked-peers.js';
import type { Peer } from './peer.js';

async function failure(promise: Promise<unknown>): Promise<ExpectationFailed> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ExpectationFailed) return error;
    throw error;
  }
  throw new Error('the expectation was met');
}

const sent = (peer: Peer): string[] =>
  peer.log.filter(({ direction }) => direction === 'sent').map(({ segment }) => describeSegment(segment));

describe('a scripted peer', () => {
  for (const ipVersion of [4, 6] as const) {
    it(`plays a connection from SYN to the last ACK with another over IPv${ipVersion}`, async () => {
      const { client, server } = linkedPeers({
        ipVersion,
        client: { iss: 100 },
        server: { iss: 300, port: 80 },
      });
      await Promise.all([client.connect({ port: 80 }), server.accept()]);
      client.send({ payload: 'hello' });
      await server.expect({ payload: 'hello', seq: 'irs+1' });
      server.ack();
      await client.expect({ flags: 'ACK', ack: 'sndNxt' });
      const passive = async () => {
        await server.expect({ flags: 'FIN,ACK' });
        server.ack();
        await server.close();
      };
      await Promise.all([client.close(), passive()]);
      const mss = ipVersion === 4 ? 1460 : 1440;
      expect(sent(client)).to.deep.equal([
        `SYN seq=100 win=65535 len=0 mss=${mss}`,
        'ACK seq=101 ack=301 win=65535 len=0',
        'PSH,ACK seq=101 ack=301 win=65535 len=5',
        'FIN,ACK seq=106 ack=301 win=65535 len=0',
        'ACK seq=107 ack=302 win=65535 len=0',
      ]);
      expect(sent(server)).to.deep.equal([
        `SYN,ACK seq=300 ack=101 win=65535 len=0 mss=${mss}`,
        'ACK seq=301 ack=106 win=65535 len=0',
        'ACK seq=301 ack=107 win=65535 len=0',
        'FIN,ACK seq=301 ack=107 win=65535 len=0',
      ]);
    });
  }

  it('takes absolute numbers as they stand in the segments', async () => {
    const { client, server } = linkedPeers();
    client.send({ flags: 'SYN', seq: 1000, dstPort: 80, options: { mss: 1460 } });
    await server.expect({ flags: 'SYN', seq: 1000, options: { mss: 1460 } });
    server.send({ flags: 'SYN,ACK', seq: 2000 });
    await client.expect({ flags: 'SYN,ACK', ack: 1001 }, { within: '1s' });
    expect(client.ack()).to.include({ seq: 1001, ack: 2001 });
  });

  it('takes numbers relative to the initial ones where that is asked for, as packetdrill does', async () => {
    const numbers = 'relative';
    const { client, server } = linkedPeers({
      client: { numbers, iss: 0xffff_fffe },
      server: { numbers, iss: 77 },
    });
    client.send({ flags: 'SYN', seq: 0, dstPort: 80 });
    await server.expect({ flags: 'SYN', seq: 0 });
    server.send({ flags: 'SYN,ACK', seq: 0, ack: 1 });
    await client.expect({ flags: 'SYN,ACK', seq: 0, ack: 1 });
    client.send({ flags: 'PSH,ACK', seq: 1, ack: 1, payload: 'abcd' });
    const { segment } = await server.expect({ flags: 'PSH,ACK', seq: 1, ack: 1 });
    expect(segment).to.include({ seq: 0xffff_ffff, ack: 78 });
    expect(server.ack()).to.have.property('ack', 3);
  });

  it('names sequence points, its own and those of the other side', async () => {
    const { client, server } = linkedPeers({ client: { iss: 0xffff_fff0 } });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.send({ payload: 'x'.repeat(20) }, { as: 'request' });
    await server.expect({ payloadOctets: 20 }, { as: 'theirs' });
    server.ack('theirs.end');
    await client.expect({ ack: 'request.end' });
    expect(client.point('hole', 'request+10')).to.equal(client.seq('hole'));
    expect(client.seq('hole')).to.equal(0xffff_fff1 + 10);
    expect(client.seq('request.end')).to.equal(5);
  });

  it('says which sequence points there are when one is not', async () => {
    const { client } = linkedPeers();
    client.send({ flags: 'SYN', dstPort: 80 }, { as: 'first' });
    expect(() => client.seq('last+1')).to.throw(RangeError, 'no sequence number is called "last" yet');
    expect(() => client.seq('1st')).to.throw(RangeError, '"1st" is no sequence number');
    expect(() => client.point('rcvNxt', 7)).to.throw(RangeError, '"rcvNxt" cannot name');
  });

  it('shows field by field how the segment that came differs', async () => {
    const { client, server } = linkedPeers({ client: { iss: 1000 } });
    client.send({ flags: 'SYN', dstPort: 80 });
    await server.expect({ flags: 'SYN' });
    server.send({ flags: 'RST,ACK', seq: 0, window: 0 });
    const error = await failure(client.expect({ flags: 'SYN,ACK', ack: 'iss+1', window: { atLeast: 1 } }));
    expect(error.message.split('\n')).to.deep.equal([
      'the segment that arrived is not the one expected',
      '    field   expected      got',
      '  ! flags   SYN,ACK       RST,ACK',
      '    ack     1001 (iss+1)  1001 (iss+1)',
      '  ! window  at least 1    0',
      '  arrived: RST,ACK seq=0 ack=1 win=0 len=0',
      '  before that:',
      '           0ms > SYN seq=0 win=65535 len=0 mss=1460',
    ]);
    expect(error.fields.filter(({ matches }) => !matches).map(({ field }) => field)).to.deep.equal([
      'flags',
      'window',
    ]);
    expect(error.segment).to.have.property('window', 0);
  });

  it('says so when nothing comes', async () => {
    const { client } = linkedPeers();
    const error = await failure(client.expect({ flags: 'SYN,ACK', ack: 'iss+1' }, { within: '300ms' }));
    expect(error.message).to.equal('nothing came within 300ms; expected flags SYN,ACK, ack iss+1');
    expect(error.segment).to.equal(undefined);
  });

  it('passes over nothing unless it is told to', async () => {
    const { client, server } = linkedPeers();
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.ack();
    client.send({ payload: 'a' });
    await failure(server.expect({ payload: 'a' }));
    await server.expect({ payload: 'a' });
  });

  it('passes over pure ACKs, duplicates, and what looks or is judged so, when it is told to', async () => {
    const { client, server } = linkedPeers();
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.send({ payload: 'a' }, { as: 'a' });
    await server.expect({ payload: 'a' });
    client.send({ payload: 'a', seq: 'a' });
    client.ack();
    client.send({ payload: 'b', window: 7 });
    client.send({ payload: 'c', ip: { ttl: 3 } });
    client.send({ payload: 'd' });
    const isC = (segment: Segment) => segment.payload[0] === 'c'.charCodeAt(0);
    await server.expect({ payload: 'd' }, { skip: ['duplicates', 'pure-acks', { window: 7 }, isC] });
    expect(server.state.rcvNxt).to.equal(client.state.sndNxt);
  });

  it('waits for a silence and shows what breaks it', async () => {
    const { clock, client, server } = linkedPeers();
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    const startNs = clock.now();
    await server.expectNothing({ for: '60s' });
    expect(clock.now() - startNs).to.equal(60e9);
    clock.at(clock.now() + 1e9, () => client.reset());
    const error = await failure(server.expectNothing({ for: '2s' }));
    expect(error.message).to.match(/^expected nothing to come for 2s\n {2}arrived: RST seq=1 /);
  });

  it('judges when a segment came', async () => {
    const { clock, client, server } = linkedPeers();
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    clock.at(clock.now() + 2e9, () => client.send({ payload: 'a' }));
    const { atNs } = await server.expect({ payload: 'a' }, { notBefore: '1s', within: '3s' });
    client.send({ payload: 'b' });
    const error = await failure(server.expect({ payload: 'b' }, { notBefore: '10ms' }));
    expect(error.fields.at(-1)).to.include({ field: 'time', expected: 'at least 10ms', matches: false });
    expect(atNs).to.be.greaterThan(2e9);
  });

  it('understands exact flags, sets of flags, ranges and functions', async () => {
    const { client, server } = linkedPeers({ client: { iss: 10 } });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.send({ flags: 'FIN,PSH,ACK', payload: 'abc' });
    await server.expect({
      flags: { has: 'FIN', not: 'RST,SYN' },
      seq: { from: 'irs', to: 'irs+5' },
      window: { atMost: 65535 },
      payloadOctets: (n) => n % 2 === 1,
      payload: (data) => data[0] === 97,
      ttl: 64,
    });
    client.send({ flags: 'PSH,ACK' });
    await server.expect({ flags: 'ACK' });
    client.send({ flags: 'ACK' });
    const error = await failure(server.expect({ flags: 'PSH,ACK', seq: { from: 'irs+100' }, payload: 'q' }));
    expect(error.fields.map(({ matches }) => matches)).to.deep.equal([false, false, false]);
  });

  it('asks for the ACK bit when it asks for an acknowledgment number', async () => {
    const { client, server } = linkedPeers();
    client.send({ flags: 'SYN', dstPort: 80 });
    const error = await failure(server.expect({ ack: 0 }));
    expect(error.fields[0]).to.include({ field: 'ack', got: 'no ACK bit' });
  });

  it('negotiates what both offer, and stamps each segment from then on', async () => {
    const offer = { mss: 1400, windowScale: 3, timestamps: true, sackPermitted: true };
    const { client, server } = linkedPeers({
      client: { offer },
      server: { offer: { ...offer, windowScale: 9 } },
    });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    expect(client.state).to.include({ hasTimestamps: true, hasSack: true, otherMssOctets: 1400 });
    expect(client.state.windowShifts).to.deep.equal({ own: 3, other: 9 });
    const { tsVal } = option(server.send({ payload: 'x' }), 'timestamps') ?? {};
    await client.expect({ options: { timestamps: { tsVal: tsVal ?? -1 }, mss: false } });
    expect(option(client.ack(), 'timestamps')).to.include({ tsEcr: tsVal });
    await server.expect({ options: { timestamps: { tsEcr: tsVal ?? -1 } } });
    expect(client.send({ options: { timestamps: false } }).options).to.deep.equal([]);
    expect(client.reset().options).to.deep.equal([]);
  });

  it('offers in its SYN,ACK only what the SYN did', async () => {
    const offer = { mss: 1400, windowScale: 3, timestamps: true, sackPermitted: true };
    const { client, server } = linkedPeers({ client: { offer: { sackPermitted: true } }, server: { offer } });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    const synAck = server.log.find(({ direction }) => direction === 'sent')?.segment;
    expect(synAck?.options.map(({ kind }) => kind)).to.deep.equal(['mss', 'nop', 'nop', 'sackPermitted']);
    expect(client.state).to.include({ hasTimestamps: false, hasSack: true });
    expect(client.state.windowShifts).to.equal(undefined);
  });

  it('acknowledges selectively in the other side’s numbers', async () => {
    const { client, server } = linkedPeers({ client: { iss: 5 } });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    server.send({ options: { sack: [['irs+11', 'irs+21']] } });
    await client.expect({ options: { sack: [['iss+11', 'iss+21']] } });
  });

  it('acknowledges no more than its script has taken', async () => {
    const { client, server } = linkedPeers({ client: { iss: 0 } });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.send({ payload: 'first' });
    client.send({ payload: 'second' });
    await server.expect({ payload: 'first' });
    expect(server.ack().ack).to.equal(6);
    await server.expect({ payload: 'second' });
    expect(server.ack().ack).to.equal(12);
  });

  it('is moved neither by old duplicates nor by what leaves a gap', async () => {
    const { client, server } = linkedPeers({ client: { iss: 0 } });
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.send({ payload: 'abc', seq: 'sndNxt+100' });
    client.send({ flags: 'SYN', seq: 'iss' });
    client.send({ flags: 'SYN', seq: 5000 });
    for (let i = 0; i < 3; i++) await server.expect();
    expect(client.state).to.include({ iss: 0, sndNxt: 1 });
    expect(server.state).to.include({ irs: 0, rcvNxt: 1 });
  });

  it('opens simultaneously when a script says so', async () => {
    const { client, server } = linkedPeers({ client: { iss: 100, port: 1 }, server: { iss: 300, port: 2 } });
    client.send({ flags: 'SYN', dstPort: 2 });
    server.send({ flags: 'SYN', dstPort: 1 });
    await client.expect({ flags: 'SYN' });
    await server.expect({ flags: 'SYN' });
    client.send({ flags: 'SYN,ACK', seq: 'iss' });
    server.send({ flags: 'SYN,ACK', seq: 'iss' });
    await client.expect({ flags: 'SYN,ACK', seq: 'irs', ack: 'iss+1' });
    await server.expect({ flags: 'SYN,ACK', seq: 'irs', ack: 'iss+1' });
    expect(client.ack()).to.include({ seq: 101, ack: 301 });
  });

  it('does not see segments with a wrong checksum, but keeps them in its log', async () => {
    const { client, server } = linkedPeers();
    await Promise.all([client.connect({ port: 80 }), server.accept()]);
    client.send({ payload: 'a', checksum: 'wrong' });
    client.send({ payload: 'b', checksum: 0 });
    await server.expectNothing({ for: '1s' });
    expect(server.log.filter(({ isCorrupt }) => isCorrupt)).to.have.length(2);
  });

  it('ignores what is no TCP', async () => {
    const { server, deliver } = linkedPeers();
    deliver(Uint8Array.of(1, 2, 3));
    await server.expectNothing({ for: '1ms' });
    expect(server.log).to.deep.equal([]);
  });

  it('begins anew on another port, and passes over what still comes of the connection before', async () => {
    const { client, server } = linkedPeers();
    await Promise.all([client.establish({ port: 80 }), server.establish()]);
    server.send({ payload: 'late' });
    const again = client.establish({ port: 80 });
    await server.establish();
    await again;
    expect(client.localPort).to.equal(40001);
    expect(server.remotePort).to.equal(40001);
  });

  it('refuses a second expectation while one is waiting', async () => {
    const { client } = linkedPeers();
    const first = failure(client.expect({}, { within: 10 }));
    const second = await client.expect().catch((error: unknown) => error);
    expect(String(second)).to.include('await one expectation before the next');
    await first;
  });

  it('names the port that is missing', () => {
    expect(() => linkedPeers().client.send({ flags: 'SYN' })).to.throw('give dstPort');
  });

  it('sends whatever options a script lists', async () => {
    const { client, server } = linkedPeers();
    client.send({ flags: 'SYN', dstPort: 80, options: [{ kind: 'nop' }, { kind: 'mss', mss: 9 }] });
    const { segment } = await server.expect({ options: { mss: 9, timestamps: false } });
    expect(segLen(segment)).to.equal(1);
    client.send({ options: Uint8Array.of(1, 1, 1, 0) });
    await server.expect({ options: (options) => options.filter(({ kind }) => kind === 'nop').length === 3 });
  });
});
