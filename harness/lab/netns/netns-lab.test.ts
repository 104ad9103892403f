import { expect } from 'chai';
import { corruptChecksum, data, drop, finalAck, syn, synAck } from '../../fault/index.js';
import { decode, option } from '../../segment/index.js';
import { connected, failureOf, needsNetns, withLab } from './netns.fixture.js';
import { readSetting } from './settings.js';

const IP_VERSIONS = [4, 6] as const;

describe('a netns lab', () => {
  before(needsNetns);

  for (const ipVersion of IP_VERSIONS) {
    describe(`of IPv${ipVersion}`, () => {
      it('carries a connection from its first to its last segment, and records each', async () => {
        await withLab({ ipVersion }, async (lab) => {
          const { client, server } = await connected(lab);
          await client.send('abc');
          expect(String((await server.receiveAll({ octets: 3 })).data)).to.equal('abc');
          await client.shutdown('write');
          await server.receive();
          await server.close();
          await lab.wire.sees(finalAck(), { delivered: true });
          const { segments } = await lab.recording();
          const roles = segments.flatMap(({ facts }) => facts?.roles ?? []);
          expect(roles).to.include.members(['syn', 'syn-ack', 'handshake-ack', 'data', 'final-ack']);
          expect(segments.every(({ deliveries }) => deliveries.length === 1)).to.equal(true);
        });
      });

      it('has nothing on its wire that no endpoint sent: no neighbour, router or membership messages', async () => {
        await withLab({ ipVersion }, async (lab) => {
          await lab.wire.quiet({ forMs: 60, withinMs: 1000 });
          expect(lab.wire.records()).to.deep.equal([]);
        });
      });

      it('stamps segments in their order, each before it is delivered', async () => {
        await withLab({ ipVersion }, async (lab) => {
          const beforeNs = lab.clock.now();
          const { client, server } = await connected(lab);
          await client.send('x');
          await server.receive();
          const { segments, alignment } = await lab.recording();
          const stamps = segments.map(({ atNs }) => atNs);
          expect(stamps).to.deep.equal([...stamps].sort((a, b) => a - b));
          for (const { atNs, deliveries } of segments) {
            expect(atNs).to.be.within(beforeNs, lab.clock.now());
            expect(deliveries[0]?.atNs).to.be.at.least(atNs);
          }
          expect(alignment.segmentsErrorNs).to.be.within(1, 1_000_000);
        });
      });

      it('gives the links the MTU that was asked for, and a stack its MSS by it', async () => {
        await withLab({ ipVersion, mtu: 1400 }, async (lab) => {
          await connected(lab);
          const seen = await lab.wire.sees(syn());
          const decoded = decode(seen.packet);
          const mss = decoded.kind === 'segment' ? option(decoded.segment, 'mss')?.mss : undefined;
          expect(mss).to.equal(ipVersion === 4 ? 1360 : 1340);
        });
      });

      it('carries segments larger than a usual slot, whole', async () => {
        await withLab({ ipVersion, mtu: 9000 }, async (lab) => {
          const { client, server } = await connected(lab);
          const sent = new Uint8Array(100_000).map((_, i) => i * 7);
          const received = server.receiveAll({ octets: sent.length });
          await client.send(sent);
          expect(Buffer.compare((await received).data, sent)).to.equal(0);
          const octets = (await lab.recording()).segments.map(({ packet }) => packet.length);
          expect(Math.max(...octets)).to.be.within(5000, 9000);
        });
      });

      it('loses exactly what the plan says', async () => {
        await withLab({ ipVersion, faults: [drop(synAck().first(), { id: 'lost' })] }, async (lab) => {
          await connected(lab);
          const { receipts, segments } = await lab.recording();
          expect(receipts.map(({ acted }) => acted)).to.deep.equal([1]);
          expect(segments.filter(({ deliveries }) => deliveries.length === 0)).to.have.length(1);
        });
      });

      it('has a stack reject a segment whose checksum is wrong', async () => {
        await withLab(
          { ipVersion, faults: [corruptChecksum(data().first(), { id: 'bad' })] },
          async (lab) => {
            const { client, server } = await connected(lab);
            await client.send('abc');
            expect(String((await server.receiveAll({ octets: 3 })).data)).to.equal('abc');
            const copies = (await lab.recording()).segments.filter(({ facts }) =>
              facts?.roles.includes('data'),
            );
            expect(copies.length).to.be.at.least(2);
          },
        );
      });
    });
  }

  it('writes kernel settings into the one namespace and no other', async () => {
    const settings = { client: { 'ipv4.tcp_orphan_retries': 3 }, server: { 'ipv4.tcp_fin_timeout': 7 } };
    await withLab({ ipVersion: 4, settings }, async (lab) => {
      const read = (side: 'client' | 'server', name: string) =>
        lab.namespace(side).run(() => readSetting(name));
      expect(read('client', 'ipv4.tcp_orphan_retries')).to.equal('3');
      expect(read('server', 'ipv4.tcp_orphan_retries')).to.equal('0');
      expect(read('server', 'ipv4.tcp_fin_timeout')).to.equal('7');
    });
  });

  it('refuses a setting that the kernel does not have, or a value that it does not take, by name', async () => {
    const open = (settings: Record<string, string>) =>
      failureOf(withLab({ ipVersion: 4, settings: { server: settings } }, async () => {}));
    expect((await open({ 'ipv4.tcp_nonsense': '1' })).message).to.match(
      /^server: kernel setting net\.ipv4\.tcp_nonsense = 1 .*no such setting/,
    );
    expect((await open({ 'ipv4.tcp_fin_timeout': 'soon' })).message).to.include('does not take that value');
    expect((await open({ '../../kernel/hostname': 'x' })).message).to.include(`no kernel setting's name`);
  });

  it('refuses an MTU that the IP version or the link cannot have', async () => {
    const open = (ipVersion: 4 | 6, mtu: number) => failureOf(withLab({ ipVersion, mtu }, async () => {}));
    expect((await open(6, 1279)).message).to.include('from 1280 to 65535');
    expect((await open(4, 67)).message).to.include('from 68 to 65535');
    expect((await open(4, 65_536)).message).to.include('MTU of 65536');
    expect((await open(4, 1.5)).message).to.include('MTU of 1.5');
  });

  for (const [ipVersion, client, server] of [
    [4, '203.0.113.255', '192.0.2.0'],
    [6, '2001:db8::1', '2001:db8:1::2'],
  ] as const)
    it(`gives both sides the IPv${ipVersion} addresses that were chosen, whatever they have in common`, async () => {
      await withLab({ ipVersion, addresses: { client, server } }, async (lab) => {
        const ends = await connected(lab);
        expect(ends.client.local.ip).to.equal(client);
        expect(ends.server.local.ip).to.equal(server);
        const again = withLab({ ipVersion, addresses: { client, server } }, async () => {});
        expect((await failureOf(again)).message).to.include(`another open lab has the address ${client}`);
      });
    });

  it('refuses addresses that are no pair of its IP version', async () => {
    const open = (client: string, server: string) =>
      failureOf(withLab({ ipVersion: 4, addresses: { client, server } }, async () => {}));
    expect((await open('192.0.2.1', '2001:db8::1')).message).to.include('"2001:db8::1" is no IPv4 address');
    expect((await open('192.0.2.1', '192.0.2.1')).message).to.include('choose two');
  });

  it('gives each lab that is open addresses of its own', async () => {
    await withLab({ ipVersion: 4 }, (one) =>
      withLab({ ipVersion: 4 }, async (other) => {
        const ips = [one.ip('client'), one.ip('server'), other.ip('client'), other.ip('server')];
        expect(new Set(ips).size).to.equal(4);
        expect(ips.every((ip) => /^198\.1[89]\./.test(ip))).to.equal(true);
      }),
    );
  });

  it('joins what the eyes saw into the states of both ends', async () => {
    await withLab({ ipVersion: 4, eyes: 'sock_diag' }, async (lab) => {
      const { client, server } = await connected(lab);
      await client.close();
      await server.receive();
      await server.close();
      await lab.wire.sees(finalAck(), { delivered: true });
      const { transitions, eyes } = await lab.recording();
      expect(eyes).to.include('sock_diag').and.not.include('tracepoint');
      const client_ = transitions.filter(({ side }) => side === 'client').map(({ to }) => to);
      expect(client_).to.include.members(['SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'TIME-WAIT']);
    });
  });

  it('says that it is closed to whoever still waits for its wire', async () => {
    const waiting = await withLab({ ipVersion: 4 }, async (lab) => failureOfLater(lab.wire.sees(syn())));
    expect((await waiting()).message).to.equal('the lab was closed');
  });
});

/** Handles the rejection now and tells of it later. */
function failureOfLater(promise: Promise<unknown>): () => Promise<Error> {
  const failure = failureOf(promise);
  return () => failure;
}
