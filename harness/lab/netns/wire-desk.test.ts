import { expect } from 'chai';
import { data, delay, drop, finalAck, handshakeAck, hold, rst, syn } from '../../fault/index.js';
import { decode, encode, makeSegment } from '../../segment/index.js';
import { TimeoutError } from '../../wire/index.js';
import { connected, failureOf, needsNetns, withLab } from './netns.fixture.js';

describe('the wire of a netns lab', () => {
  before(needsNetns);

  it('delays by what the plan says, to a tenth of a millisecond as a rule', async () => {
    await withLab({ ipVersion: 4, faults: [delay(syn(), { byMs: 5 })] }, async (lab) => {
      await connected(lab);
      const { atNs, deliveries } = await lab.wire.sees(syn(), { delivered: true });
      expect((deliveries[0]?.atNs ?? 0) - atNs).to.be.within(5_000_000, 30_000_000);
    });
  });

  it('holds what a fault holds until it is released, and tells how many that were', async () => {
    await withLab({ ipVersion: 4, faults: [hold(data(), { id: 'held' })] }, async (lab) => {
      const { client, server } = await connected(lab);
      await client.send('abc');
      expect((await lab.wire.sees(data())).held).to.equal(true);
      expect(await lab.wire.release('held')).to.be.at.least(1);
      expect(String((await server.receiveAll({ octets: 3 })).data)).to.equal('abc');
      const released = await lab.wire.sees(data(), { delivered: true });
      expect(released).to.deep.include({ held: false });
    });
  });

  it('obeys a fault from the moment that its addition is confirmed, and forgets it when it is taken out', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const { client, server } = await connected(lab);
      await lab.wire.add(hold(data(), { id: 'all' }));
      await client.send('a');
      await lab.wire.sees(data());
      await lab.wire.remove('all');
      expect(String((await server.receiveAll({ octets: 1 })).data)).to.equal('a');
      expect((await lab.wire.receipts()).map(({ fault }) => fault)).to.deep.equal(['all']);
    });
  });

  it('refuses to release a fault that is not in the plan', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      expect((await failureOf(lab.wire.release('nobody'))).message).to.include('nobody');
    });
  });

  it('carries a packet that a scenario injects to the stack, which answers it', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const ends = { src: lab.ip('client'), dst: lab.ip('server'), srcPort: 5555, dstPort: 6666 };
      await lab.wire.inject(encode(makeSegment({ ...ends, flags: 'SYN', seq: 1 })), 'server');
      const answer = await lab.wire.sees(rst().from('server'));
      expect(answer.origin).to.equal('endpoint');
      expect(lab.wire.records()[0]).to.deep.include({ origin: 'user', from: 'client' });
    });
  });

  it('sees a segment that has passed already, and one that is still to come', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const coming = lab.wire.sees(handshakeAck());
      await connected(lab);
      expect((await coming).id).to.equal(3);
      expect((await lab.wire.sees(handshakeAck())).id).to.equal(3);
    });
  });

  it('passes a dropped copy over when the segment has to be delivered', async () => {
    await withLab({ ipVersion: 4, faults: [drop(syn().first())] }, async (lab) => {
      await connected(lab);
      expect((await lab.wire.sees(syn(), { delivered: true })).facts?.copy).to.equal(2);
      expect((await lab.wire.sees(syn())).facts?.copy).to.equal(1);
    });
  });

  it('names the match, when nothing comes that matches it', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const failure = await failureOf(lab.wire.sees(finalAck().from('client'), { withinMs: 5 }));
      expect(failure).to.be.instanceOf(TimeoutError);
      expect(failure.message).to.match(/"client\.final-ack" within 5 ms \(it has seen 0 packets\)/);
    });
  });

  it('is quiet when nothing has come or gone for so long, and says when it never is', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      await connected(lab);
      await lab.wire.quiet({ forMs: 10, withinMs: 2000 });
      const lastNs = lab.wire.records().at(-1)?.deliveries[0]?.atNs ?? 0;
      expect(lab.clock.now() - lastNs).to.be.at.least(10_000_000);
      expect(await failureOf(lab.wire.quiet({ forMs: 1000, withinMs: 1 }))).to.be.instanceOf(TimeoutError);
    });
  });

  it('carries the packets of a scripted peer, and hands over those for it', async () => {
    await withLab({ ipVersion: 6, peer: 'client' }, async (lab) => {
      const port = lab.peerPort();
      await lab.endpoint('server').listen({ port: 80 });
      const answer = new Promise<Uint8Array>((resolve) => port.onPacket((packet) => resolve(packet)));
      const ends = { src: port.ip, dst: port.remoteIp, srcPort: 1000, dstPort: 80 };
      port.send(encode(makeSegment({ ...ends, flags: 'SYN', seq: 7 })));
      const decoded = decode(await answer);
      expect(decoded.kind === 'segment' && decoded.segment.ack).to.equal(8);
      const { segments } = await lab.recording();
      expect(segments[0]?.origin).to.equal('peer');
      expect(() => lab.endpoint('client')).to.throw('scripted peer');
    });
  });

  it('has no way onto it for a peer where both sides are stacks', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      expect(() => lab.peerPort()).to.throw('option "peer"');
    });
  });

  it('loses nothing of a large transfer', async () => {
    await withLab({ ipVersion: 4, eyes: 'none' }, async (lab) => {
      const { client, server } = await connected(lab);
      const octets = 4_000_000;
      const received = server.receiveAll({ octets, withinMs: 10_000 });
      const chunk = new Uint8Array(65_536);
      for (let left = octets; left > 0; )
        left -= await client.send(chunk.subarray(0, Math.min(left, chunk.length)));
      expect((await received).data.length).to.equal(octets);
      const { segments } = await lab.recording();
      // Neither ring nor links lost any, or there would be no recording; nor did the wire itself.
      expect(segments.filter(({ deliveries }) => deliveries.length !== 1)).to.deep.equal([]);
    });
  });

  it('carries a hundred connections at once without a segment lost', async () => {
    await withLab({ ipVersion: 4, eyes: 'none' }, async (lab) => {
      const listener = await lab.endpoint('server').listen();
      const talk = async (): Promise<void> => {
        const client = await lab.endpoint('client').connect(listener.local);
        const server = await listener.accept();
        await client.send(new Uint8Array(1000));
        await server.receive();
        await client.close();
        await server.close();
      };
      await Promise.all(Array.from({ length: 100 }, talk));
      const { segments } = await lab.recording();
      expect(segments.filter(({ deliveries }) => deliveries.length !== 1)).to.deep.equal([]);
    });
  });
});
