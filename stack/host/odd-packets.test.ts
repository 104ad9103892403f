/** Headers and options as RFC 9293 sections 3.1, 3.2 and 3.9.2 want them, sent and received by a host. */
import { expect } from 'chai';
import {
  decode,
  encode,
  flagsText,
  makeSegment,
  option,
  optionsLength,
} from '../../harness/segment/index.js';
import { HOST, next, OneHost, PEER, PORT } from './one-host.fixture.js';

const octets = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const MSS_1000 = [2, 4, 0x03, 0xe8];

function listening(): OneHost {
  const host = new OneHost();
  host.stack.listen({ port: PORT });
  return host;
}
const mssAfter = (options: Uint8Array): number | undefined => {
  const host = listening();
  host.recv({ flags: 'SYN', options });
  return [...host.stack.sockets][0]?.block.peerMss;
};

describe('Options that arrive', () => {
  it('EOL, NOP and MSS, at any place (MUST-4, MUST-64)', () => {
    expect(mssAfter(octets(...MSS_1000))).to.equal(1000);
    expect(mssAfter(octets(1, ...MSS_1000, 0, 0, 0))).to.equal(1000);
    expect(mssAfter(octets(1, 1, 1, ...MSS_1000, 0))).to.equal(1000);
    expect(mssAfter(octets(0, 0, 0, 0, ...MSS_1000)), 'behind the end of the list').to.equal(536);
  });

  it('unknown ones are skipped (MUST-6, MUST-68, R5482-02)', () => {
    expect(mssAfter(octets(253, 4, 9, 9, ...MSS_1000))).to.equal(1000);
    expect(mssAfter(octets(77, 2, ...MSS_1000, 1, 1))).to.equal(1000);
  });

  it('of an illegal length harm nobody (MUST-7)', () => {
    for (const bad of [
      octets(2, 0, 0, 0),
      octets(2, 1, 0, 0),
      octets(2, 40, 0, 0),
      octets(253, 0, 1, 1),
      octets(1, 1, 1, 2),
    ]) {
      const host = listening();
      host.recv({ flags: 'SYN', options: bad });
      const [synAck] = host.recv({ srcPort: 7, flags: 'SYN' });
      expect(flagsText(synAck?.flags ?? 0)).to.equal('SYN,ACK');
    }
  });

  it('any in any segment (MUST-5)', () => {
    const host = listening();
    const iss = host.opened();
    const strange = octets(...MSS_1000, 3, 3, 5, 4, 2, 253, 2, 0);
    host.recv({ seq: 1001, ack: next(iss), payload: 'ab', options: strange });
    host.recv({ seq: 1003, ack: next(iss), flags: 'FIN,ACK', options: strange });
    const [socket] = host.stack.sockets;
    expect([socket?.state, socket?.available]).to.deep.equal(['CLOSE-WAIT', 2]);
    expect(socket?.block.sndWndShift).to.equal(0);
  });
});

describe('IP headers that arrive', () => {
  it('with options that TCP does not know (MUST-50)', () => {
    const host = listening();
    const options = octets(0x94, 4, 0, 0, 7, 3, 4, 1);
    const packet = encode(makeSegment({ src: PEER, dst: HOST, flags: 'SYN', ip: { version: 4, options } }));
    expect(host.input(packet).map(({ flags }) => flagsText(flags))).to.deep.equal(['SYN,ACK']);
  });
});

describe('What a host sends', () => {
  it('has right checksums, whole options, and zeros behind their end (MUST-2, MUST-68, MUST-69)', () => {
    const packets: Uint8Array[] = [];
    const host = new OneHost({ output: (packet) => packets.push(packet) });
    const socket = host.stack.connect({ ip: PEER, port: 9 }, { data: octets(1, 2, 3) });
    host.wait(20_000);
    socket.abort();
    host.stack.input(encode(makeSegment({ src: PEER, dst: HOST, flags: 'ACK', dstPort: 1 })));
    expect(packets.length).to.be.greaterThan(4);
    for (const packet of packets) {
      const decoded = decode(packet);
      if (decoded.kind !== 'segment') throw new Error('no segment');
      expect(decoded.checksumOk).to.deep.equal({ ip: true, tcp: true });
      expect(decoded.segment.optionsProblem).to.equal(undefined);
      expect(optionsLength(decoded.segment.options) % 4).to.equal(0);
    }
  });

  it('carries the DSCP and TTL of its settings on every segment (MUST-48, MUST-49, SHLD-22)', () => {
    const host = new OneHost({ settings: { dscp: 46, hopLimit: 33 } });
    const listener = host.stack.listen({ port: PORT });
    const seen = [...host.recv({ seq: 1000, flags: 'SYN' })];
    seen.push(...host.wait(1000));
    const ack = next(seen[0]?.seq ?? 0);
    host.recv({ seq: 1001, ack });
    listener.accept()?.send(octets(1));
    seen.push(...host.sent(), ...host.wait(1000));
    for (const socket of host.stack.sockets) socket.shutdown();
    seen.push(...host.sent());
    seen.push(...host.recv({ seq: 1001, ack: next(ack, 2), flags: 'FIN,ACK' }));
    seen.push(...host.recv({ seq: 1001, ack: next(ack, 2), flags: 'FIN,ACK' }));
    expect(seen.length).to.be.greaterThan(5);
    for (const { ip } of seen) expect([ip.trafficClass, ip.ttl]).to.deep.equal([46 << 2, 33]);
  });

  it('has an identification of its own where it may be fragmented (RFC 6864, MAY-4)', () => {
    const host = new OneHost({ settings: { pathMtuDiscovery: 'off' } });
    host.stack.connect({ ip: PEER, port: 9 });
    const ids = [...host.sent(), ...host.wait(5000)].map(({ ip }) =>
      ip.version === 4 ? ip.identification : 0,
    );
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids.length).to.be.greaterThan(2);
  });
});

describe('Soft errors (3.9.1.8)', () => {
  it('are notices, which a program may leave unheard (SHLD-20, MUST-47)', () => {
    const host = new OneHost();
    const deaf = host.stack.connect({ ip: PEER, port: 9 });
    const hearing = host.stack.connect({ ip: PEER, port: 10 });
    const heard: string[] = [];
    hearing.onNotice = ({ kind }) => heard.push(kind);
    host.wait(7000);
    expect(heard).to.include('troubled');
    expect([deaf.state, deaf.error]).to.deep.equal(['SYN-SENT', undefined]);
  });
});

describe('An old duplicate', () => {
  it('ACK in SYN-SENT draws a RST, and the opening goes on (R1337-04)', () => {
    const host = new OneHost();
    const socket = host.stack.connect({ ip: PEER, port: 9 }, { from: { port: 5000 } });
    host.sent();
    const [reset] = host.recv({ srcPort: 9, dstPort: 5000, seq: 9, ack: 4242 });
    expect([reset?.seq, socket.state]).to.deep.equal([4242, 'SYN-SENT']);
  });

  it('has timestamps to be known by in the new incarnation (R1337-02)', () => {
    const host = listening();
    const stamp = (tsVal: number) => [{ kind: 'timestamps', tsVal, tsEcr: 0 }] as const;
    const [synAck] = host.recv({ seq: 1000, flags: 'SYN', options: stamp(9000) });
    const ack = next(synAck?.seq ?? 0);
    host.recv({ seq: 1001, ack, options: stamp(9001) });
    host.recv({ seq: 1001, ack, payload: 'old', options: stamp(10) });
    const [socket] = host.stack.sockets;
    expect(socket?.available).to.equal(0);
    expect(
      option(host.recv({ seq: 1001, ack, payload: 'new', options: stamp(9002) })[0] ?? makeSegment(), 'sack'),
    ).to.equal(undefined);
    expect(socket?.available).to.equal(3);
  });
});
