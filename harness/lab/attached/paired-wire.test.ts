import { expect } from 'chai';
import { type Address, Peer } from '../../endpoint/index.js';
import {
  activeFin,
  corruptChecksum,
  data,
  delay,
  drop,
  duplicate,
  finalAck,
  handshakeAck,
  hold,
  inject,
  otherSide,
  replay,
  rewrite,
  SIDES,
  type Side,
  syn,
  truncate,
} from '../../fault/index.js';
import { decode, flagsText } from '../../segment/index.js';
import {
  AF_INET,
  check,
  decodeSockaddr,
  encodeSockaddr,
  libc,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../../sys/index.js';
import type { SegmentRecord } from '../../wire/index.js';
import { AttachRefused } from './attach-errors.js';
import { type Ends, needsAttach, PORT, targetIn } from './attached.fixture.js';
import { attach } from './attachment.js';
import { countRules } from './namespace-rules.js';
import { carries, hundredConnections, type Paired, withPairedWire } from './paired.fixture.js';
import { openPairedWire } from './paired-wire.js';

function segmentOf({ packet }: SegmentRecord) {
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error(`not a segment: ${decoded.kind}`);
  return decoded.segment;
}

const flagsOf = (records: readonly SegmentRecord[]): readonly string[] =>
  records.map((record) => `${record.from} ${flagsText(segmentOf(record).flags)}`);

const dataOf = (segments: readonly SegmentRecord[], from: Side) =>
  segments.filter((record) => record.from === from && record.facts?.roles.includes('data'));

/** Connects, sends and shuts down within three calls. */
function rawClient(ends: Ends, to: Address): Disposable & { readonly port: number } {
  const fd = ends
    .namespace('client')
    .run(() => check(libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket'));
  const address = encodeSockaddr(to);
  check(libc.connect(fd, address, address.length), 'connect');
  check(libc.send(fd, Buffer.from('hello'), 5, 0), 'send');
  check(libc.shutdown(fd, SHUT_WR), 'shutdown');
  const own = new Uint8Array(address.length);
  check(libc.getsockname(fd, own, Uint8Array.of(own.length, 0, 0, 0)), 'getsockname');
  return { port: decodeSockaddr(own).port, [Symbol.dispose]: () => libc.close(fd) };
}

describe('a wire between two namespaces', () => {
  before(needsAttach);

  for (const ipVersion of [4, 6] as const)
    it(`has each segment once, when it comes in, with IPv${ipVersion}`, async () => {
      await withPairedWire(
        [],
        async ({ ends, wire }) => {
          await ends.connected();
          await wire.wire.sees(handshakeAck(), { delivered: true });
          const { segments } = await wire.recording();
          expect(flagsOf(segments)).to.deep.equal(['client SYN', 'server SYN,ACK', 'client ACK']);
          for (const { hook, deliveries, from } of segments) {
            expect(hook).to.equal('input');
            expect(deliveries.map(({ to }) => to)).to.deep.equal([otherSide(from)]);
          }
        },
        { ipVersion },
      );
    });

  it('sees the states of both sides', async () => {
    await withPairedWire([], async ({ ends, wire }) => {
      const { client, server } = await ends.connected();
      await client.close();
      await server.receive();
      await server.close();
      await wire.wire.sees(finalAck(), { delivered: true });
      const { transitions } = await wire.recording();
      const statesOf = (side: Side) => transitions.filter((each) => each.side === side).map(({ to }) => to);
      expect(statesOf('client')).to.include.members(['ESTABLISHED', 'TIME-WAIT']);
      expect(statesOf('server')).to.include.members(['LISTEN', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK']);
    });
  });

  it('makes no sockets of its own doing, however closely segments follow each other', async function () {
    await withPairedWire([], async ({ ends, wire }) => {
      const listener = await ends.server.listen({ port: PORT });
      // A call right after the other: the ACK of the handshake, data and FIN wait in the queue together.
      using client = rawClient(ends, listener.local);
      const server = await listener.accept();
      await server.receive();
      await server.receive();
      await server.close();
      await wire.wire.sees(finalAck(), { delivered: true });
      const { transitions, eyes } = await wire.recording();
      if (!eyes.includes('tracepoint')) {
        process.stderr.write('skipped: only tracepoints would see it\n');
        return this.skip();
      }
      const states = transitions.filter(
        ({ side, remote }) => side === 'server' && remote.port === client.port,
      );
      expect(states.filter(({ to }) => to === 'SYN-RECEIVED')).to.have.length(1);
      expect(states.map(({ to }) => to)).to.include('CLOSE-WAIT');
    });
  });

  for (const from of SIDES) {
    const first = () => data().from(from).first();

    it(`loses a segment of the ${from} in the network, which sends it again`, async () => {
      await withPairedWire([drop(first())], async ({ ends, wire }) => {
        expect(await carries(await ends.connected(), from, 'hello')).to.equal('hello');
        const { segments, receipts } = await wire.recording();
        const sent = dataOf(segments, from);
        expect(sent[0]).to.deep.include({ deliveries: [], hook: 'input' });
        expect(sent[0]?.faults.map(({ what }) => what)).to.deep.equal(['dropped']);
        expect(sent[1]?.facts?.copy).to.equal(2);
        expect(receipts[0]).to.include({ acted: 1 });
      });
    });

    it(`delays a segment of the ${from} by what the plan says`, async () => {
      await withPairedWire([delay(first(), { byMs: 60 })], async ({ ends, wire }) => {
        expect(await carries(await ends.connected(), from, 'hello')).to.equal('hello');
        const { atNs, deliveries } = await wire.wire.sees(data().from(from), { delivered: true });
        expect((deliveries[0]?.atNs ?? 0) - atNs).to.be.within(60_000_000, 90_000_000);
      });
    });

    it(`holds a segment of the ${from} until it is released`, async () => {
      await withPairedWire([hold(data().from(from), { id: 'kept' })], async ({ ends, wire }) => {
        const carried = carries(await ends.connected(), from, 'hello');
        expect((await wire.wire.sees(data().from(from))).held).to.equal(true);
        expect(await wire.wire.release('kept')).to.be.at.least(1);
        expect(await carried).to.equal('hello');
      });
    });

    it(`duplicates a segment of the ${from}`, async () => {
      await withPairedWire([duplicate(first(), { copies: 2 })], async ({ ends, wire }) => {
        expect(await carries(await ends.connected(), from, 'hello')).to.equal('hello');
        await wire.wire.quiet({ forMs: 50, withinMs: 2000 });
        const [sent] = dataOf((await wire.recording()).segments, from);
        expect(sent?.deliveries.map(({ to }) => to)).to.deep.equal(Array(3).fill(otherSide(from)));
      });
    });

    it(`rewrites a segment of the ${from}`, async () => {
      await withPairedWire([rewrite(first(), { payload: 'HELLO' })], async ({ ends }) => {
        expect(await carries(await ends.connected(), from, 'hello')).to.equal('HELLO');
      });
    });

    it(`brings a segment of the ${from} whose checksum is corrupted, which counts for nothing there`, async () => {
      await withPairedWire([corruptChecksum(first())], async ({ ends, wire }) => {
        expect(await carries(await ends.connected(), from, 'hello')).to.equal('hello');
        const sent = dataOf((await wire.recording()).segments, from);
        expect(sent[0]?.deliveries[0]?.packet).to.not.equal(undefined);
        expect(sent.length).to.be.at.least(2);
      });
    });

    it(`cuts the end off a segment of the ${from}, which sends it again`, async () => {
      await withPairedWire([truncate(first(), { toOctets: 2 })], async ({ ends, wire }) => {
        expect(await carries(await ends.connected(), from, 'hello')).to.equal('hello');
        const [sent, again] = dataOf((await wire.recording()).segments, from);
        expect(sent?.deliveries[0]?.packet).to.have.length((sent?.packet.length ?? 0) - 3);
        expect(again).to.not.equal(undefined);
      });
    });

    it(`injects a reset into the ${from}, which takes it for the other's`, async () => {
      const reset = inject({ flags: ['RST', 'ACK'] }, { on: data().first(), sender: otherSide(from) });
      await withPairedWire([reset], async ({ ends }) => {
        const pair = await ends.connected();
        await pair.client.send(Buffer.from('hello'));
        const failure: unknown = await pair[from].receiveAll({ octets: 6 }).catch((error: unknown) => error);
        expect(failure).to.have.property('errno', 'ECONNRESET');
      });
    });

    it(`replays an earlier segment of the ${from}`, async () => {
      await withPairedWire([replay(data().from(from), { on: activeFin() })], async ({ ends, wire }) => {
        const pair = await ends.connected();
        expect(await carries(pair, from, 'hello')).to.equal('hello');
        await pair.client.close();
        await wire.wire.sees(activeFin());
        await wire.wire.quiet({ forMs: 50, withinMs: 2000 });
        const forged = (await wire.recording()).segments.filter(({ origin }) => origin === 'fault');
        expect(forged.map((each) => Buffer.from(segmentOf(each).payload).toString())).to.deep.equal([
          'hello',
        ]);
        expect(forged.map((each) => each.from)).to.deep.equal([from]);
        expect(forged[0]?.deliveries).to.have.length(1);
      });
    });
  }

  it('carries a hundred connections at once, and loses nothing', async () => {
    await withPairedWire([], async ({ ends, wire }) => {
      await hundredConnections(ends);
      await wire.wire.quiet({ forMs: 50, withinMs: 5000 });
      const { segments } = await wire.recording();
      expect(segments.every(({ deliveries }) => deliveries.length === 1)).to.equal(true);
      expect(new Set(segments.map(({ facts }) => facts?.flow)).size).to.equal(100);
      expect(await wire.missed()).to.equal(0);
    });
  });

  it('numbers segments in the order in which they came, whichever way they go', async () => {
    await withPairedWire([], async ({ ends, wire }) => {
      const pair = await ends.connected();
      for (const from of [...SIDES, ...SIDES]) await carries(pair, from, 'hello');
      const { segments } = await wire.recording();
      const stamps = segments.map(({ atNs }) => atNs);
      expect(stamps).to.deep.equal([...stamps].sort((a, b) => a - b));
    });
  });

  it('takes only segments of the ports that it was given', async () => {
    await withPairedWire(
      [drop(syn())],
      async ({ ends, wire }) => {
        await ends.connected();
        const { segments } = await wire.recording();
        expect(segments).to.deep.equal([]);
      },
      { ports: [PORT + 1] },
    );
  });

  it('leaves no rule behind, and what was connected stays so', async () => {
    await withPairedWire([], async ({ ends, wire }) => {
      const pair = await ends.connected();
      const rules = () => SIDES.map((side) => countRules(ends.namespace(side)));
      expect(rules()).to.deep.equal([1, 1]);
      await wire[Symbol.asyncDispose]();
      expect(rules()).to.deep.equal([0, 0]);
      expect(wire.rules).to.deep.equal({ added: 2, removed: 2 });
      for (const from of SIDES) expect(await carries(pair, from, 'hello')).to.equal('hello');
    });
  });

  it('refuses another wire for the same segments, and stays as it is', async () => {
    await withPairedWire([], async ({ ends }) => {
      const target = targetIn(ends.namespace('server'));
      const failure: unknown = await attach({ target, port: PORT }).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(AttachRefused);
      expect(failure)
        .to.have.property('message')
        .that.matches(/another lastack .* attached to connections there/);
      expect(await carries(await ends.connected(), 'client', 'hello')).to.equal('hello');
    });
  });

  it('refuses addresses of different versions', async () => {
    const failure: unknown = await openPairedWire({
      ends: { client: { kind: 'peer' }, server: { kind: 'peer' } },
      addresses: { client: '10.0.0.1', server: '::1' },
    }).catch((error: unknown) => error);
    expect(failure)
      .to.have.property('message')
      .that.matches(/one IP version/);
  });
});

describe('a wire between a namespace and a scripted peer', () => {
  before(needsAttach);

  const peerOf = ({ wire }: Paired): Peer => {
    if (wire.peerPort === undefined) throw new Error('there is no peer');
    return new Peer(wire.peerPort);
  };

  for (const ipVersion of [4, 6] as const)
    it(`has a kernel answer a peer that connects, with IPv${ipVersion}`, async () => {
      await withPairedWire(
        [],
        async (parts) => {
          const { ends, wire } = parts;
          const listener = await ends.server.listen({ port: PORT });
          const peer = peerOf(parts);
          await peer.connect({ port: PORT });
          const server = await listener.accept();
          peer.send({ flags: 'PSH,ACK', payload: 'hello' });
          expect(String((await server.receiveAll({ octets: 5 })).data)).to.equal('hello');
          await peer.expect({ flags: 'ACK', ack: 'sndNxt' });
          await server.close();
          await peer.expect({ flags: 'FIN,ACK' });
          await peer.shutdown();
          const { segments, transitions } = await wire.recording();
          expect(segments.map(({ from, origin }) => `${from} ${origin}`).slice(0, 3)).to.deep.equal([
            'client peer',
            'server endpoint',
            'client peer',
          ]);
          expect(segments.every(({ deliveries }) => deliveries.length === 1)).to.equal(true);
          expect(new Set(transitions.map(({ side }) => side))).to.deep.equal(new Set(['server']));
          expect(transitions.map(({ to }) => to)).to.include.members([
            'SYN-RECEIVED',
            'ESTABLISHED',
            'FIN-WAIT-1',
          ]);
        },
        { ipVersion, peer: 'client' },
      );
    });

  it('has a kernel connect to a peer, which need not be there', async () => {
    await withPairedWire(
      [],
      async (parts) => {
        const peer = peerOf(parts);
        const accepted = peer.accept();
        const { ends } = parts;
        const client = await ends.client.connect({ ip: ends.ip('server'), port: PORT });
        await accepted;
        await client.send(Buffer.from('hello'));
        await peer.expect({ flags: 'PSH,ACK', payload: 'hello' });
        peer.reset();
        const failure: unknown = await client.receiveAll({ octets: 1 }).catch((error: unknown) => error);
        expect(failure).to.have.property('errno', 'ECONNRESET');
      },
      { peer: 'server' },
    );
  });

  it('loses what the kernel sends as a network would, and it sends it again', async () => {
    await withPairedWire(
      [drop(activeFin().first())],
      async (parts) => {
        const { ends, wire } = parts;
        const listener = await ends.server.listen({ port: PORT });
        const peer = peerOf(parts);
        await peer.connect({ port: PORT });
        const server = await listener.accept();
        await server.close();
        await peer.expect({ flags: 'FIN,ACK' });
        const fins = (await wire.recording()).segments.filter(({ facts }) =>
          facts?.roles.includes('active-fin'),
        );
        expect(fins.map(({ faults }) => faults.map(({ what }) => what))).to.deep.equal([['dropped'], []]);
      },
      { peer: 'client' },
    );
  });

  it('delays what the peer sends', async () => {
    await withPairedWire(
      [delay(syn(), { byMs: 50 })],
      async (parts) => {
        await parts.ends.server.listen({ port: PORT });
        await peerOf(parts).connect({ port: PORT });
        const { atNs, deliveries } = await parts.wire.wire.sees(syn(), { delivered: true });
        expect((deliveries[0]?.atNs ?? 0) - atNs).to.be.at.least(50_000_000);
      },
      { peer: 'client' },
    );
  });
});
