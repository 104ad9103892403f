import { expect } from 'chai';
import { RealClock } from '../../clock/index.js';
import { KernelEndpoint } from '../../endpoint/index.js';
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
  rewrite,
  SIDES,
} from '../../fault/index.js';
import { decode, flagsText } from '../../segment/index.js';
import { monotonicNs, NetworkNamespace } from '../../sys/index.js';
import type { SegmentRecord } from '../../wire/index.js';
import { switchOffloadsOn } from '../netns/offloads.js';
import { AttachRefused } from './attach-errors.js';
import { Ends, needsAttach, PORT, targetIn, withWireAt } from './attached.fixture.js';
import { attach } from './attachment.js';
import { hasIpv6, restoreRules, savedRules } from './iptables.js';
import { countRules, sweepRules } from './namespace-rules.js';

const hello = Buffer.from('hello');

function segmentOf({ packet }: SegmentRecord) {
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error(`not a segment: ${decoded.kind}`);
  return { ...decoded.segment, checksumOk: decoded.checksumOk };
}

const flagsOf = (records: readonly SegmentRecord[]): readonly string[] =>
  records.map((record) => `${record.from} ${flagsText(segmentOf(record).flags)}`);

describe('a wire attached to a namespace', () => {
  before(needsAttach);

  for (const side of SIDES) {
    describe(`of the ${side}`, () => {
      it('sees both directions, and at which hook', async () => {
        await withWireAt(side, [], async ({ ends, wire }) => {
          await ends.connected();
          await wire.wire.sees(handshakeAck());
          const records = wire.wire.records();
          expect(flagsOf(records)).to.deep.equal(['client SYN', 'server SYN,ACK', 'client ACK']);
          for (const { from, hook, deliveries } of records) {
            expect(hook).to.equal(from === side ? 'output' : 'input');
            expect(deliveries).to.have.length(1);
          }
        });
      });

      it('sees the states of its socket', async () => {
        await withWireAt(side, [], async ({ ends, wire }) => {
          const { client, server } = await ends.connected();
          await client.close();
          await server.receive();
          await server.close();
          await wire.wire.sees(finalAck(), { delivered: true });
          const { transitions } = await wire.recording();
          expect(new Set(transitions.map((each) => each.side))).to.deep.equal(new Set([side]));
          const states = transitions.map(({ to }) => to);
          expect(states).to.include(side === 'client' ? 'TIME-WAIT' : 'LAST-ACK');
          expect(states).to.include('ESTABLISHED');
        });
      });

      for (const from of SIDES)
        it(`drops a segment of the ${from}, which sends it again`, async () => {
          await withWireAt(side, [drop(data().from(from).first())], async ({ ends, wire }) => {
            const { client, server } = await ends.connected();
            const [sender, receiver] = from === 'client' ? [client, server] : [server, client];
            await sender.send(hello);
            expect(String((await receiver.receiveAll({ octets: 5 })).data)).to.equal('hello');
            const { segments, receipts } = await wire.recording();
            const sent = segments.filter(({ facts }) => facts?.roles.includes('data'));
            expect(sent[0]).to.deep.include({ deliveries: [] });
            const where = from === side ? "dropped at the sender's output" : 'dropped';
            expect(sent[0]?.faults.map(({ what }) => what)).to.deep.equal([where]);
            expect(sent.at(-1)?.facts?.copy).to.be.at.least(2);
            expect(receipts[0]).to.deep.include({ acted: 1 });
          });
        });

      for (const from of SIDES)
        it(`delays a segment of the ${from} by what the plan says`, async () => {
          await withWireAt(side, [delay(data().from(from).first(), { byMs: 60 })], async ({ ends, wire }) => {
            const { client, server } = await ends.connected();
            const [sender, receiver] = from === 'client' ? [client, server] : [server, client];
            await sender.send(hello);
            await receiver.receiveAll({ octets: 5 });
            const first = await wire.wire.sees(data().from(from), { delivered: true });
            expect((first.deliveries[0]?.atNs ?? 0) - first.atNs).to.be.at.least(60_000_000);
          });
        });

      it('holds what comes and what goes until it is released', async () => {
        await withWireAt(side, [hold(data(), { id: 'all' })], async ({ ends, wire }) => {
          const { client, server } = await ends.connected();
          await client.send(hello);
          await server.send(hello);
          for (const from of SIDES) expect((await wire.wire.sees(data().from(from))).held).to.equal(true);
          expect(await wire.wire.release('all')).to.be.at.least(2);
          for (const end of [client, server])
            expect(String((await end.receiveAll({ octets: 5 })).data)).to.equal('hello');
        });
      });

      it('rewrites what comes and what goes', async () => {
        await withWireAt(side, [rewrite(data(), { payload: 'HELLO' })], async ({ ends }) => {
          const { client, server } = await ends.connected();
          await client.send(hello);
          expect(String((await server.receiveAll({ octets: 5 })).data)).to.equal('HELLO');
          await server.send(hello);
          expect(String((await client.receiveAll({ octets: 5 })).data)).to.equal('HELLO');
        });
      });

      for (const from of SIDES)
        it(`corrupts a checksum of the ${from}, and the segment counts for nothing`, async () => {
          await withWireAt(side, [corruptChecksum(data().from(from).first())], async ({ ends, wire }) => {
            const { client, server } = await ends.connected();
            const [sender, receiver] = from === 'client' ? [client, server] : [server, client];
            await sender.send(hello);
            await receiver.receiveAll({ octets: 5 });
            const sent = (await wire.recording()).segments.filter(({ facts }) =>
              facts?.roles.includes('data'),
            );
            expect(sent.length).to.be.at.least(2);
          });
        });

      it('duplicates a segment of either side, and the copy is answered', async () => {
        await withWireAt(side, [duplicate(activeFin())], async ({ ends, wire }) => {
          const { client, server } = await ends.connected();
          await client.close();
          await server.receive();
          await server.close();
          await wire.wire.sees(finalAck(), { delivered: true });
          const fin = await wire.wire.sees(activeFin());
          expect(fin.deliveries).to.have.length(2);
        });
      });

      for (const to of SIDES)
        it(`injects a reset to the ${to}, which takes it for the other's`, async () => {
          const reset = inject({ flags: ['RST', 'ACK'] }, { on: data().first(), sender: otherSide(to) });
          await withWireAt(side, [reset], async ({ ends }) => {
            const { client, server } = await ends.connected();
            await client.send(hello);
            const end = to === 'client' ? client : server;
            const failure = await end.receiveAll({ octets: 6 }).then(
              () => undefined,
              (error: unknown) => error,
            );
            expect(failure).to.have.property('errno', 'ECONNRESET');
          });
        });
    });
  }

  for (const side of SIDES)
    it(`at the ${side} cuts what a stack hands over in one piece into the segments that a network carries, with their checksums`, async () => {
      await withWireAt(side, [], async ({ ends, wire }) => {
        for (const end of SIDES) ends.namespace(end).run(() => switchOffloadsOn('eth0'));
        const { client, server } = await ends.connected();
        const received = server.receiveAll({ octets: 200_000 });
        await client.send(new Uint8Array(200_000).fill(7));
        await received;
        const sent = (await wire.recording()).segments.map(segmentOf);
        for (const { payload, checksumOk } of sent) {
          expect(payload.length).to.be.at.most(1460);
          expect(checksumOk).to.deep.equal({ ip: true, tcp: true });
        }
        expect(sent.reduce((sum, { payload }) => sum + payload.length, 0)).to.be.at.least(200_000);
      });
    });

  it('has a segment of the loopback once, and the states of both ends', async () => {
    await using ends = new Ends();
    await using wire = await attach({ target: targetIn(ends.namespace('server')), port: PORT });
    const listener = await ends.server.listen({ port: PORT });
    const client = await ends.server.connect(listener.local);
    await listener.accept();
    await client.close();
    await wire.wire.sees(activeFin(), { delivered: true });
    const { segments, transitions } = await wire.recording();
    expect(flagsOf(segments).slice(0, 4)).to.deep.equal([
      'client SYN',
      'server SYN,ACK',
      'client ACK',
      'client FIN,ACK',
    ]);
    expect(new Set(transitions.map(({ side }) => side))).to.deep.equal(new Set(SIDES));
  });

  it('does the same to IPv6', async function () {
    await using ends = new Ends();
    const namespace = ends.namespace('server');
    if (!hasIpv6(namespace)) return this.skip();
    const clock = new RealClock(monotonicNs());
    await using end = new KernelEndpoint({ side: 'client', namespace, ip: '::1', clock, log: () => {} });
    const faults = [drop(data().first()), duplicate(activeFin()), delay(handshakeAck(), { byMs: 20 })];
    await using wire = await attach({ target: targetIn(namespace), port: PORT, faults });
    const listener = await end.listen({ port: PORT });
    const client = await end.connect(listener.local);
    await client.send(hello);
    const server = await listener.accept();
    expect(String((await server.receiveAll({ octets: 5 })).data)).to.equal('hello');
    await client.close();
    expect((await wire.wire.sees(activeFin(), { delivered: true })).deliveries).to.have.length(2);
    const { segments, receipts, transitions } = await wire.recording();
    expect(segments.every((record) => segmentOf(record).ip.version === 6)).to.equal(true);
    expect(receipts.map(({ acted }) => acted)).to.deep.equal([1, 1, 1]);
    expect(transitions.map(({ to }) => to)).to.include('CLOSE-WAIT');
  });

  it('carries a hundred connections at once, and loses nothing', async () => {
    await withWireAt('server', [], async ({ ends, wire }) => {
      const listener = await ends.server.listen({ port: PORT, backlog: 128 });
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const client = await ends.client.connect(listener.local);
          const server = await listener.accept();
          await client.send(hello);
          await client.close();
          await server.receive();
          await server.close();
        }),
      );
      await wire.wire.quiet({ forMs: 50, withinMs: 5000 });
      const { segments } = await wire.recording();
      expect(segments.every(({ deliveries }) => deliveries.length === 1)).to.equal(true);
      expect(new Set(segments.map(({ facts }) => facts?.flow)).size).to.equal(100);
      expect(await wire.missed()).to.equal(0);
    });
  });

  it('leaves no rule behind, and what was connected stays so', async () => {
    await using ends = new Ends();
    const namespace = ends.namespace('server');
    const wire = await attach({ target: targetIn(namespace), port: PORT });
    const { client, server } = await ends.connected();
    expect(countRules(namespace)).to.be.oneOf([4, 8]);
    await wire[Symbol.asyncDispose]();
    expect(countRules(namespace)).to.equal(0);
    expect(wire.rules.removed).to.equal(wire.rules.added);
    await client.send(hello);
    expect(String((await server.receiveAll({ octets: 5 })).data)).to.equal('hello');
  });

  it('knows what was at the port before', async () => {
    await using ends = new Ends();
    await ends.connected();
    await using wire = await attach({ target: targetIn(ends.namespace('server')), port: PORT });
    const { listeners, connections } = await wire.present();
    expect(listeners.map(({ port }) => port)).to.deep.equal([PORT]);
    expect(connections).to.equal(1);
    expect((await wire.recording()).transitions).to.deep.equal([]);
  });

  it('refuses to be the second at a port', async () => {
    await withWireAt('server', [], async ({ ends }) => {
      const target = targetIn(ends.namespace('server'));
      const failure: unknown = await attach({ target, port: PORT }).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(AttachRefused);
      expect(failure)
        .to.have.property('message')
        .that.matches(/another lastack .* attached to port 5432/);
      expect(countRules(ends.namespace('server'))).to.be.oneOf([4, 8]);
    });
  });

  it('says so where the segments do not come to it, and leaves no rule there', async () => {
    await using ends = new Ends();
    const namespace = ends.namespace('server');
    restoreRules(namespace, 4, '*raw\n-A PREROUTING -i lo -p tcp -j DROP\nCOMMIT\n');
    const failure: unknown = await attach({ target: targetIn(namespace), port: PORT }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(AttachRefused);
    expect(failure)
      .to.have.property('message')
      .that.matches(/do not come to lastack.*iptables-save/);
    expect(countRules(namespace)).to.equal(0);
  });

  it('leaves alone the rules of others', async () => {
    await using ends = new Ends();
    const namespace = ends.namespace('server');
    const theirs = '-A INPUT -p tcp -m tcp --dport 5432 -m comment --comment "not lastack:1-2:3-4" -j ACCEPT';
    restoreRules(namespace, 4, `*mangle\n${theirs}\nCOMMIT\n`);
    await using wire = await attach({ target: targetIn(namespace), port: PORT });
    await wire[Symbol.asyncDispose]();
    expect(savedRules(namespace, 4)).to.include(theirs);
    expect(sweepRules(namespace)).to.equal(0);
  });

  it('works in a namespace whose loopback is down', async () => {
    using namespace = NetworkNamespace.create();
    await using wire = await attach({ target: targetIn(namespace), port: PORT });
    expect((await wire.recording()).segments).to.deep.equal([]);
  });
});
