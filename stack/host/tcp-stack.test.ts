/** A host: CLOSED and LISTEN, addresses and ports, backlog and cookies, what is not for it. */
import { expect } from 'chai';
import { encode, flagsText, makeSegment, type Segment } from '../../harness/segment/index.js';
import { HOST, HOST_V6, icmpPacket, next, OneHost, PEER, PORT } from './one-host.fixture.js';

const flags = (segments: readonly Segment[]): readonly string[] =>
  segments.map((each) => flagsText(each.flags));

describe('A host without a listener', () => {
  it('refuses what comes, and never a RST (NOID-01, NOID-02, 3.5.2)', () => {
    const host = new OneHost();
    expect(flags(host.recv({ flags: 'SYN' }))).to.deep.equal(['RST,ACK']);
    expect(flags(host.recv({ flags: 'ACK' }))).to.deep.equal(['RST']);
    expect(flags(host.recv({ flags: 'RST' }))).to.deep.equal([]);
  });
});

describe('What is not for a host', () => {
  const silent = (what: (host: OneHost) => readonly Segment[]) => {
    const host = new OneHost();
    host.stack.listen({ port: PORT });
    expect(what(host)).to.deep.equal([]);
  };

  it('is dropped: another address', () => silent((host) => host.recv({ dst: '192.0.2.9', flags: 'SYN' })));
  it('is dropped: broadcast and multicast (MUST-57)', () => {
    for (const dst of ['255.255.255.255', '224.0.0.1']) silent((host) => host.recv({ dst, flags: 'SYN' }));
  });
  it('is dropped: from broadcast, multicast or nobody (MUST-63)', () => {
    for (const src of ['255.255.255.255', '224.0.0.1', '0.0.0.0'])
      silent((host) => host.recv({ src, flags: 'SYN' }));
    silent((host) => host.recv({ src: 'ff02::1', dst: HOST_V6, flags: 'SYN' }));
  });
  it('is dropped: a SYN from its own address that it did not send (MUST-63)', () =>
    silent((host) => host.recv({ src: HOST, flags: 'SYN' })));
  it('is dropped: a wrong checksum (MUST-3)', () =>
    silent((host) => {
      const packet = encode(makeSegment({ src: PEER, dst: HOST, flags: 'SYN' }));
      packet[25] = (packet[25] ?? 0) ^ 1;
      return host.input(packet);
    }));
  it('is dropped: no IP packet at all', () => silent((host) => host.input(new Uint8Array([1, 2, 3]))));
});

describe('OPEN, passive (3.9.1.1)', () => {
  it('opens a connection for each SYN, which accept gives when it is open', () => {
    const host = new OneHost();
    const listener = host.stack.listen({ port: PORT });
    host.opened(40_000);
    host.opened(40_001);
    expect([listener.accept()?.remote.port, listener.accept()?.remote.port]).to.deep.equal([40_000, 40_001]);
    expect(listener.accept()).to.equal(undefined);
    expect(listener.isOpen).to.equal(true);
  });

  it('fails where somebody listens already, and harms nobody (MUST-41)', () => {
    const host = new OneHost();
    const listener = host.stack.listen({ port: PORT });
    host.opened();
    expect(() => host.stack.listen({ port: PORT })).to.throw(/listens at port 80/);
    expect(() => host.stack.listen({ port: PORT, ip: HOST })).to.throw(/listens at port 80/);
    const accepted = listener.accept();
    expect([accepted?.state, accepted?.status.state]).to.deep.equal(['ESTABLISHED', 'ESTABLISHED']);
  });

  it('works at both versions of IP at the same port', () => {
    const host = new OneHost();
    host.stack.listen({ port: PORT, ip: '0.0.0.0' });
    host.stack.listen({ port: PORT, ip: '::' });
    expect(flags(host.recv({ flags: 'SYN' }))).to.deep.equal(['SYN,ACK']);
    expect(flags(host.recv({ src: '2001:db8::2', dst: HOST_V6, flags: 'SYN' }))).to.deep.equal(['SYN,ACK']);
  });

  it('works while a connection from that port opens (MUST-42)', () => {
    const host = new OneHost();
    host.stack.connect({ ip: PEER, port: 9 }, { from: { port: PORT } });
    host.sent();
    host.stack.listen({ port: PORT });
    expect(flags(host.recv({ flags: 'SYN' }))).to.deep.equal(['SYN,ACK']);
  });

  it('a RST in SYN-RECEIVED returns it to LISTEN: an old SYN harms nobody (NOID-47, NOID-18)', () => {
    const host = new OneHost();
    const listener = host.stack.listen({ port: PORT });
    const [synAck] = host.recv({ seq: 1000, flags: 'SYN' });
    expect(host.recv({ seq: synAck?.ack ?? 0, flags: 'RST' })).to.deep.equal([]);
    expect([host.stack.socketCount, listener.opening.size]).to.deep.equal([0, 0]);
    host.opened();
    expect(listener.waiting).to.equal(1);
  });

  it('CLOSE resets what nobody has accepted', () => {
    const host = new OneHost();
    const listener = host.stack.listen({ port: PORT });
    host.opened();
    listener.close();
    expect(flags(host.sent())).to.deep.equal(['RST,ACK']);
    expect(host.stack.socketCount).to.equal(0);
    expect(flags(host.recv({ srcPort: 5, flags: 'SYN' }))).to.deep.equal(['RST,ACK']);
  });
});

describe('OPEN, active (3.9.1.1)', () => {
  it('takes an address of the host, or chooses one of the version (MUST-43, MUST-44, MUST-45)', () => {
    const host = new OneHost();
    host.stack.connect({ ip: PEER, port: 9 });
    host.stack.connect({ ip: '2001:db8::2', port: 9 }, { from: { ip: HOST_V6, port: 1234 } });
    expect(host.sent().map(({ ip }) => ip.src)).to.deep.equal([HOST, HOST_V6]);
    expect(() => host.stack.connect({ ip: PEER, port: 9 }, { from: { ip: '192.0.2.9' } })).to.throw(
      /no address of this host/,
    );
    expect(host.wait(3000).every(({ ip }) => ip.src === HOST || ip.src === HOST_V6)).to.equal(true);
  });

  it('is refused to broadcast, multicast and nobody (MUST-46)', () => {
    const host = new OneHost();
    for (const ip of ['255.255.255.255', '224.0.0.1', '0.0.0.0', 'ff02::1', '::'])
      expect(() => host.stack.connect({ ip, port: 9 }), ip).to.throw(/no TCP/);
    expect([host.sent(), host.stack.socketCount]).to.deep.equal([[], 0]);
  });

  it('fails where the connection exists already', () => {
    const host = new OneHost();
    const from = { port: 5000 };
    host.stack.connect({ ip: PEER, port: 9 }, { from });
    expect(() => host.stack.connect({ ip: PEER, port: 9 }, { from })).to.throw(/already/);
    host.stack.connect({ ip: PEER, port: 10 }, { from });
    expect(host.stack.socketCount).to.equal(2);
  });

  it('finds a half-open connection of a time before: its ACK is reset, and the SYN again opens (NOID-46)', () => {
    const host = new OneHost();
    const socket = host.stack.connect({ ip: PEER, port: 9 }, { from: { port: 5000 } });
    const [syn] = host.sent();
    const old = { srcPort: 9, dstPort: 5000, seq: 77, ack: 999, flags: 'ACK' };
    const [reset] = host.recv(old);
    expect([flagsText(reset?.flags ?? 0), reset?.seq]).to.deep.equal(['RST', 999]);
    expect(flags(host.wait(1000))).to.deep.equal(['SYN']);
    host.recv({ srcPort: 9, dstPort: 5000, seq: 5, ack: next(syn?.seq ?? 0), flags: 'SYN,ACK' });
    expect(socket.state).to.equal('ESTABLISHED');
  });

  it('after the SYN was closed its answer is refused (NOID-38)', () => {
    const host = new OneHost();
    const socket = host.stack.connect({ ip: PEER, port: 9 }, { from: { port: 5000 } });
    const [syn] = host.sent();
    socket.close();
    expect(host.sent()).to.deep.equal([]);
    const synAck = { srcPort: 9, dstPort: 5000, seq: 5, ack: next(syn?.seq ?? 0), flags: 'SYN,ACK' };
    expect(flags(host.recv(synAck))).to.deep.equal(['RST']);
  });
});

describe('Initial sequence numbers (3.4.1, RFC 6528)', () => {
  const iss = (host: OneHost, port: number): number => {
    host.stack.connect({ ip: PEER, port }, { from: { port: 5000 } });
    return host.sent()[0]?.seq ?? 0;
  };

  it('tick every 4 microseconds (MUST-8)', () => {
    const [now, later] = [new OneHost(), new OneHost()];
    later.wait(1000);
    expect(next(iss(later, 9), -iss(now, 9))).to.equal(250_000);
  });

  it('differ by a keyed hash of the four names (SHLD-1, MUST-9, R6528-01)', () => {
    const host = new OneHost();
    const numbers = new Set(Array.from({ length: 50 }, (_, i) => iss(host, 9 + i)));
    expect(numbers.size).to.equal(50);
    const spread = [...numbers].map((each) => each >>> 29);
    expect(new Set(spread).size).to.be.greaterThan(3);
    const other = new OneHost({ randomBytes: (octets) => new Uint8Array(octets).fill(9) });
    expect(iss(other, 9)).to.not.equal(iss(new OneHost(), 9));
  });
});

describe('A backlog that is full (RFC 4987)', () => {
  const flooded = (synCookies: 'flood' | 'always' | 'never') => {
    const host = new OneHost({ synCookies });
    const listener = host.stack.listen({ port: PORT, backlog: 4 });
    for (let i = 0; i < 4; i += 1) host.recv({ srcPort: 100 + i, flags: 'SYN' });
    return { host, listener };
  };

  it('answers with cookies, and keeps nothing', () => {
    const { host, listener } = flooded('flood');
    const before = host.stack.socketCount;
    for (let i = 0; i < 1000; i += 1)
      expect(flags(host.recv({ srcPort: 2000 + i, flags: 'SYN' }))).to.deep.equal(['SYN,ACK']);
    expect(host.stack.socketCount).to.equal(before);
    expect(host.wait(500)).to.deep.equal([]);
    expect(listener.opening.size).to.equal(4);
  });

  it('opens for who answers the cookie, with what its SYN had agreed on', () => {
    const { host, listener } = flooded('flood');
    const options = [
      { kind: 'mss', mss: 1300 },
      { kind: 'timestamps', tsVal: 5, tsEcr: 0 },
      { kind: 'windowScale', shift: 3 },
      { kind: 'sackPermitted' },
    ] as const;
    const [synAck] = host.recv({ seq: 50, flags: 'SYN', options });
    const tsEcr = synAck?.options.flatMap((each) => (each.kind === 'timestamps' ? [each.tsVal] : []))[0] ?? 0;
    host.wait(10);
    host.recv({
      seq: 51,
      ack: next(synAck?.seq ?? 0),
      payload: 'hello',
      options: [{ kind: 'timestamps', tsVal: 6, tsEcr }],
    });
    const socket = listener.accept();
    expect(socket?.state).to.equal('ESTABLISHED');
    const { peerMss, sndWndShift, hasSack, hasTimestamps } = socket?.block ?? {};
    expect({ peerMss, sndWndShift, hasSack, hasTimestamps }).to.deep.equal({
      peerMss: 1300,
      sndWndShift: 3,
      hasSack: true,
      hasTimestamps: true,
    });
    expect(socket?.available).to.equal(5);
  });

  it('refuses ACKs that bring no cookie, or one too old', () => {
    const { host } = flooded('flood');
    const [synAck] = host.recv({ seq: 50, flags: 'SYN' });
    expect(flags(host.recv({ seq: 51, ack: next(synAck?.seq ?? 0, 2) }))).to.deep.equal(['RST']);
    host.wait(200_000);
    expect(flags(host.recv({ seq: 51, ack: next(synAck?.seq ?? 0) }))).to.deep.equal(['RST']);
  });

  it('drops SYNs where cookies are not wanted', () => {
    const { host } = flooded('never');
    expect(host.recv({ flags: 'SYN' })).to.deep.equal([]);
  });

  it('does without a backlog where all are cookies', () => {
    const host = new OneHost({ synCookies: 'always' });
    const listener = host.stack.listen({ port: PORT });
    host.opened();
    expect(listener.accept()?.state).to.equal('ESTABLISHED');
  });
});

describe('TIME-WAIT and a new connection (MAY-2, RFC 6191)', () => {
  function lingering(): { host: OneHost; sndNxt: number; rcvNxt: number } {
    const host = new OneHost();
    const listener = host.stack.listen({ port: PORT });
    const iss = host.opened();
    listener.accept()?.close();
    host.sent();
    host.recv({ seq: 1001, ack: next(iss, 2), flags: 'FIN,ACK' });
    expect([...host.stack.sockets].map(({ state }) => state)).to.deep.equal(['TIME-WAIT']);
    return { host, sndNxt: next(iss, 2), rcvNxt: 1002 };
  }

  it('begins above the numbers of the old one', () => {
    const { host, sndNxt, rcvNxt } = lingering();
    const [synAck] = host.recv({ seq: rcvNxt, flags: 'SYN' });
    expect(flagsText(synAck?.flags ?? 0)).to.equal('SYN,ACK');
    expect(next(synAck?.seq ?? 0, -sndNxt)).to.be.within(0, 2 ** 31);
  });

  it('does not give way where nobody listens any more', () => {
    const { host, rcvNxt } = lingering();
    for (const listener of host.stack.listeners) listener.close();
    expect(flags(host.recv({ seq: rcvNxt, flags: 'SYN' }))).to.deep.equal(['ACK']);
    expect(host.stack.socketCount).to.equal(1);
  });

  it('is forgotten after 2 MSL, with its timers', () => {
    const { host } = lingering();
    host.wait(60_000);
    expect(host.stack.socketCount).to.equal(0);
    host.wait(1000);
    expect(host.clock.pending).to.equal(0);
  });
});

describe('ICMP (3.9.2.2)', () => {
  it('reaches the connection that caused it (MUST-54)', () => {
    const host = new OneHost();
    const one = host.stack.connect({ ip: PEER, port: 9 });
    const [syn] = host.sent();
    const other = host.stack.connect({ ip: PEER, port: 10 });
    if (syn === undefined) throw new Error('no SYN');
    host.input(icmpPacket(3, 3, syn));
    expect([one.state, one.error, other.state]).to.deep.equal(['CLOSED', 'ECONNREFUSED', 'SYN-SENT']);
  });

  it('source quench is silently discarded, and none is sent (MUST-55, R6633-01, R6633-02, R1122-05)', () => {
    const host = new OneHost();
    const socket = host.stack.connect({ ip: PEER, port: 9 });
    const [syn] = host.sent();
    if (syn === undefined) throw new Error('no SYN');
    const before = structuredClone(socket.block.congestion);
    expect(host.input(icmpPacket(4, 0, syn))).to.deep.equal([]);
    expect([socket.state, socket.block.softError, socket.block.congestion]).to.deep.equal([
      'SYN-SENT',
      undefined,
      before,
    ]);
  });

  for (const [type, code] of [
    [3, 0],
    [3, 1],
    [3, 5],
    [11, 0],
    [11, 1],
    [12, 0],
  ] as const)
    it(`type ${type} code ${code} is soft (MUST-56, R1122-06)`, () => {
      const host = new OneHost();
      const socket = host.stack.connect({ ip: PEER, port: 9 });
      const [syn] = host.sent();
      if (syn === undefined) throw new Error('no SYN');
      host.input(icmpPacket(type, code, syn));
      expect(socket.state).to.equal('SYN-SENT');
      expect(socket.block.softError).to.match(/UNREACH/);
    });

  it('a path MTU is learnt for the connections that follow (RFC 8201 section 5.2)', () => {
    const host = new OneHost();
    const socket = host.stack.connect({ ip: PEER, port: 9 }, { from: { port: 5000 } });
    const [syn] = host.sent();
    const answer = { srcPort: 9, dstPort: 5000, seq: 5, ack: next(syn?.seq ?? 0), flags: 'SYN,ACK' };
    host.recv({ ...answer, options: [{ kind: 'mss', mss: 1460 }] });
    socket.send(new Uint8Array(5000));
    const [data] = host.sent();
    if (data === undefined) throw new Error('no data');
    host.input(icmpPacket(3, 4, data, 1200));
    expect(socket.block.pathMtu).to.equal(1200);
    expect(host.stack.connect({ ip: PEER, port: 10 }).block.pathMtu).to.equal(1200);
  });
});

describe('Negative advice to IP (MUST-20)', () => {
  it('is given at R1, once', () => {
    const advice: string[] = [];
    const host = new OneHost({ advise: ({ remote }) => advice.push(remote.ip) });
    host.stack.connect({ ip: PEER, port: 9 });
    host.wait(6999);
    expect(advice).to.deep.equal([]);
    host.wait(60_000);
    expect(advice).to.deep.equal([PEER]);
  });
});

describe('Changes of state', () => {
  it('are observed in order', () => {
    const host = new OneHost();
    host.stack.listen({ port: PORT });
    host.opened();
    expect(host.changes.map(({ from, to }) => `${from} ${to}`)).to.deep.equal([
      'CLOSED LISTEN',
      'LISTEN SYN-RECEIVED',
      'SYN-RECEIVED ESTABLISHED',
    ]);
  });
});
