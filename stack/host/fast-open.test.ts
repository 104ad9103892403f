/** TCP Fast Open, RFC 7413, client and server. */
import { expect } from 'chai';
import { flagsText, option, type Segment } from '../../harness/segment/index.js';
import { TwoHosts } from '../simulation/two-hosts.js';
import { next, OneHost, PEER, PORT } from './one-host.fixture.js';

const cookieOf = (segment: Segment | undefined): Uint8Array | undefined =>
  segment && option(segment, 'fastOpen')?.cookie;
const text = (data: string): Uint8Array => new TextEncoder().encode(data);
const NONE = new Uint8Array(0);

describe('Fast Open, the client', () => {
  const connect = (host: OneHost, port = 9) =>
    host.stack.connect(
      { ip: PEER, port },
      { from: { port: 5000 + port }, data: text('hello'), fastOpen: true },
    );
  const COOKIE = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

  /** A host that has been given a cookie. */
  function knowing(): OneHost {
    const host = new OneHost();
    const socket = connect(host);
    const [syn] = host.sent();
    host.recv({
      srcPort: 9,
      dstPort: 5009,
      seq: 70,
      ack: next(syn?.seq ?? 0),
      flags: 'SYN,ACK',
      options: [{ kind: 'fastOpen', cookie: COOKIE }],
    });
    socket.abort();
    host.sent();
    return host;
  }

  it('is off unless the program asks (R7413-05)', () => {
    const host = new OneHost();
    host.stack.connect({ ip: PEER, port: 9 }, { data: text('hello') });
    const [syn] = host.sent();
    expect([cookieOf(syn), syn?.payload.length]).to.deep.equal([undefined, 0]);
  });

  it('asks for a cookie first, and sends no data on that SYN', () => {
    const host = new OneHost();
    connect(host);
    const [syn] = host.sent();
    expect([cookieOf(syn)?.length, syn?.payload.length]).to.deep.equal([0, 0]);
  });

  it('keeps the cookie for the server, and sends data with it (R7413-03)', () => {
    const host = knowing();
    connect(host, 10);
    const [syn] = host.sent();
    expect(cookieOf(syn)).to.deep.equal(COOKIE);
    expect(new TextDecoder().decode(syn?.payload)).to.equal('hello');
  });

  it('data that the SYN,ACK acknowledges is done', () => {
    const host = knowing();
    const socket = connect(host, 10);
    const [syn] = host.sent();
    const answer = { srcPort: 10, dstPort: 5010, seq: 70, flags: 'SYN,ACK' };
    const sent = host.recv({ ...answer, ack: next(syn?.seq ?? 0, 6) });
    expect(sent.map(({ payload }) => payload.length)).to.deep.equal([0]);
    expect(socket.state).to.equal('ESTABLISHED');
  });

  it('data that it does not acknowledge goes again at once (section 4.2.2)', () => {
    const host = knowing();
    connect(host, 10);
    const [syn] = host.sent();
    const answer = { srcPort: 10, dstPort: 5010, seq: 70, flags: 'SYN,ACK' };
    const sent = host.recv({ ...answer, ack: next(syn?.seq ?? 0) });
    expect(sent.map(({ payload }) => payload.length)).to.deep.equal([5]);
  });

  it('a SYN that goes again has neither data nor option (R7413-07), and data follows the handshake', () => {
    const host = knowing();
    connect(host, 10);
    const [syn] = host.sent();
    const [again] = host.wait(1000);
    expect([cookieOf(again), again?.payload.length, again?.seq]).to.deep.equal([undefined, 0, syn?.seq]);
    const answer = { srcPort: 10, dstPort: 5010, seq: 70, flags: 'SYN,ACK' };
    const sent = host.recv({ ...answer, ack: next(syn?.seq ?? 0) });
    expect(sent.map(({ payload }) => new TextDecoder().decode(payload)).join('')).to.equal('hello');
  });

  it('a path that seems to drop such SYNs is spared them for a while (R7413-04)', () => {
    const host = knowing();
    connect(host, 10);
    const [syn] = host.sent();
    host.wait(1000);
    host.recv({ srcPort: 10, dstPort: 5010, seq: 70, ack: next(syn?.seq ?? 0), flags: 'SYN,ACK' });
    connect(host, 11);
    expect(cookieOf(host.sent().find(({ flags }) => flagsText(flags) === 'SYN'))).to.equal(undefined);
    host.wait(3_600_000);
    connect(host, 12);
    expect(cookieOf(host.sent().find(({ flags }) => flagsText(flags) === 'SYN'))).to.not.equal(undefined);
  });
});

describe('Fast Open, the server', () => {
  const listening = (backlog = 16) => {
    const host = new OneHost();
    return { host, listener: host.stack.listen({ port: PORT, fastOpen: true, backlog }) };
  };
  const ask = (
    host: OneHost,
    init: { cookie?: Uint8Array; src?: string; srcPort?: number; payload?: string } = {},
  ) => {
    const { cookie = NONE, payload = '', ...from } = init;
    return host.recv({
      seq: 1000,
      flags: 'SYN',
      options: [{ kind: 'fastOpen', cookie }],
      payload,
      ...from,
    })[0];
  };

  it('gives a cookie to who asks, bound to the address (R7413-02)', () => {
    const { host } = listening();
    const one = cookieOf(ask(host, { srcPort: 1 }));
    const same = cookieOf(ask(host, { srcPort: 2 }));
    const other = cookieOf(ask(host, { src: '192.0.2.77', srcPort: 3 }));
    expect(one?.length).to.equal(8);
    expect(same).to.deep.equal(one);
    expect(other).to.not.deep.equal(one);
  });

  it('does not know the option unless it was asked to', () => {
    const host = new OneHost();
    host.stack.listen({ port: PORT });
    expect(cookieOf(ask(host))).to.equal(undefined);
  });

  it('takes data with a good cookie, acknowledges it, and gives the connection to the program at once', () => {
    const { host, listener } = listening();
    const cookie = cookieOf(ask(host, { srcPort: 1 })) ?? NONE;
    const synAck = ask(host, { cookie, payload: 'hello', srcPort: 2 });
    expect(synAck?.ack).to.equal(1006);
    const socket = listener.accept();
    expect([socket?.state, socket?.available]).to.deep.equal(['SYN-RECEIVED', 5]);
    socket?.send(text('answer'));
    expect(host.sent().map(({ payload }) => payload.length)).to.deep.equal([6]);
  });

  it('leaves data with a bad cookie to be sent again, and gives a good one', () => {
    const { host, listener } = listening();
    const synAck = ask(host, { cookie: new Uint8Array(8), payload: 'hello' });
    expect([synAck?.ack, cookieOf(synAck)?.length]).to.deep.equal([1001, 8]);
    expect(listener.waiting).to.equal(0);
  });

  it('ignores a cookie of a length that is none (R7413-01)', () => {
    const { host } = listening();
    for (const length of [2, 5, 18]) {
      const synAck = ask(host, { cookie: new Uint8Array(length), srcPort: length });
      expect([synAck?.ack, cookieOf(synAck)]).to.deep.equal([1001, undefined]);
    }
  });

  it('ignores the option on what is no SYN (R7413-01)', () => {
    const { host, listener } = listening();
    host.opened();
    host.recv({
      seq: 1001,
      ack: 0,
      flags: 'ACK',
      options: [{ kind: 'fastOpen', cookie: new Uint8Array(8) }],
    });
    expect(listener.accept()?.state).to.equal('ESTABLISHED');
  });

  it('limits those whose handshake is not complete (R7413-06)', () => {
    const { host, listener } = listening(2);
    const cookie = cookieOf(ask(host, { srcPort: 1 })) ?? NONE;
    const acks = Array.from({ length: 3 }, (_, i) => {
      const synAck = ask(host, { cookie, payload: 'hello', srcPort: 10 + i });
      listener.accept();
      return synAck?.ack;
    });
    expect(acks).to.deep.equal([1006, 1006, 1001]);
  });

  it('a RST before the handshake is complete is told to the program, which has the connection', () => {
    const { host, listener } = listening();
    const cookie = cookieOf(ask(host, { srcPort: 1 })) ?? NONE;
    ask(host, { cookie, payload: 'hello', srcPort: 2 });
    const socket = listener.accept();
    host.recv({ srcPort: 2, seq: 1006, flags: 'RST' });
    expect([socket?.state, socket?.error]).to.deep.equal(['CLOSED', 'ECONNRESET']);
  });

  it('a program that leaves the data unread resets the connection (SHLD-3)', () => {
    const { host, listener } = listening();
    const cookie = cookieOf(ask(host, { srcPort: 1 })) ?? NONE;
    ask(host, { cookie, payload: 'hello', srcPort: 2 });
    listener.accept()?.close();
    expect(host.sent().map(({ flags }) => flagsText(flags))).to.deep.equal(['RST,ACK']);
  });

  it('a SYN,ACK that goes again after the program has closed is still one', () => {
    const { host, listener } = listening();
    const cookie = cookieOf(ask(host, { srcPort: 1 })) ?? NONE;
    ask(host, { cookie, payload: 'hello', srcPort: 2 });
    const socket = listener.accept();
    socket?.receive(100);
    socket?.shutdown();
    expect(host.sent().map(({ flags }) => flagsText(flags))).to.deep.equal(['FIN,ACK']);
    expect(flagsText(host.wait(1000).find(({ dstPort }) => dstPort === 2)?.flags ?? 0)).to.equal('SYN,ACK');
  });
});

describe('Fast Open between two hosts', () => {
  it('saves a round trip the second time', () => {
    const world = new TwoHosts();
    const listener = world.server.listen({ port: PORT, fastOpen: true });
    const to = { ip: '198.18.0.2', port: PORT };
    world.client.connect(to, { fastOpen: true });
    world.clock.run(world.clock.now() + 1e9);
    listener.accept();
    const begunNs = world.clock.now();
    world.client.connect(to, { fastOpen: true, data: text('hello') });
    let heardNs = Number.POSITIVE_INFINITY;
    while (world.clock.step()) {
      const socket = listener.accept();
      if (socket === undefined) continue;
      expect(socket.available).to.equal(5);
      heardNs = world.clock.now();
      break;
    }
    expect(heardNs - begunNs).to.equal(100_000);
  });
});
