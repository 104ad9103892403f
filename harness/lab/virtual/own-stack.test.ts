/** The project's own TCP in virtual time: it needs no kernel. */
import { expect } from 'chai';
import { NANOS_PER_MS, NANOS_PER_SECOND } from '../../clock/index.js';
import { Unsupported } from '../../endpoint/index.js';
import { drop, syn } from '../../fault/index.js';
import type { Lab, LabOptions, Recording } from '../lab.js';
import { connected, failureOf } from './virtual.fixture.js';
import { LATENCY_NS, virtualLabs } from './virtual-lab.js';
import { World } from './world.js';

const openLab = virtualLabs({ client: 'stack', server: 'stack' });

const sleep = (lab: Lab, ms: number): Promise<void> =>
  new Promise((resolve) => lab.clock.at(lab.clock.now() + ms * NANOS_PER_MS, resolve));

async function withLab<T>(options: LabOptions, step: (lab: Lab) => Promise<T>): Promise<T> {
  await using lab = await openLab(options);
  return await step(lab);
}

/** A connection from its opening to the end of TIME-WAIT. */
async function lived(lab: Lab): Promise<Recording> {
  const { client, server } = await connected(lab);
  await client.close();
  await server.receive();
  await server.close();
  await sleep(lab, 70_000);
  return lab.recording();
}

describe('our own TCP in a virtual lab', () => {
  after(() => World.shared()[Symbol.dispose]());

  for (const ipVersion of [4, 6] as const)
    it(`carries a connection over IPv${ipVersion}`, async () => {
      await withLab({ ipVersion }, async (lab) => {
        const { client, server } = await connected(lab);
        await client.send('ping');
        expect(String((await server.receiveAll({ octets: 4 })).data)).to.equal('ping');
        const { segments } = await lab.recording();
        expect(segments.every(({ origin, facts }) => origin === 'endpoint' && facts !== undefined)).to.equal(
          true,
        );
        for (const { atNs, deliveries } of segments) expect(deliveries[0]?.atNs).to.equal(atNs + LATENCY_NS);
      });
    });

  it('is named after this package', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      expect(lab.endpoint('client').stack).to.match(/^stack@\d+\.\d+\.\d+/);
    });
  });

  it('reports each state at its instant, TIME-WAIT to its end', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const { transitions, notes, eyes } = await lived(lab);
      const states = (side: string) =>
        transitions.filter((each) => each.side === side && each.remote.port !== 0).map(({ to }) => to);
      expect(states('client').join(' ')).to.equal(
        'SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED',
      );
      expect(states('server').join(' ')).to.equal('SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED');
      expect(eyes).to.deep.equal(['report']);
      for (const { eye, certainty } of transitions)
        expect({ eye, certainty }).to.deep.equal({ eye: 'report', certainty: 'exact' });
      const [begun, ended] = transitions.filter(({ from, to }) => from === 'TIME-WAIT' || to === 'TIME-WAIT');
      expect((ended?.atNs ?? 0) - (begun?.atNs ?? 0)).to.equal(60 * NANOS_PER_SECOND);
      expect(notes.map(({ what, detail }) => ({ what, ...detail }))).to.deep.equal([
        { what: 'timer', timer: 'time-wait', remainsMs: 60_000, retransmits: 0, state: 'TIME-WAIT' },
      ]);
    });
  });

  it('sends the same octets in each run', async () => {
    const [one, other] = [await withLab({ ipVersion: 4 }, lived), await withLab({ ipVersion: 4 }, lived)];
    expect(one.segments.length).to.be.greaterThan(5);
    expect(other.segments).to.deep.equal(one.segments);
  });

  it('has the settings that a scenario pins, by the names that kernels have', async () => {
    const settings = { client: { 'ipv4.tcp_syn_retries': 1 } };
    await withLab({ ipVersion: 4, settings, faults: [drop(syn())] }, async (lab) => {
      const opening = lab.endpoint('client').connect({ ip: lab.ip('server'), port: 9 });
      expect((await failureOf(opening)).message).to.equal('connect: ETIMEDOUT');
      expect((await lab.recording()).segments.length).to.equal(2);
    });
  });

  it('says that it is unsupported what it does not have, and leaves nothing open', async () => {
    const settings = { client: { 'ipv4.tcp_frto': 1 } };
    const error = await failureOf(openLab({ ipVersion: 4, settings }));
    expect(error).to.be.instanceOf(Unsupported);
    expect(error.message).to.equal('the endpoint stack has no setting net.ipv4.tcp_frto');
    await withLab({ ipVersion: 4 }, connected);
  });

  it('puts data on the SYN where the server has given it a cookie', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const options = { TCP_FASTOPEN: 5 };
      const listener = await lab.endpoint('server').listen({ port: 7000, options });
      const opened = { options: { TCP_FASTOPEN_CONNECT: 1 } };
      const first = await lab.endpoint('client').connect(listener.local, opened);
      await listener.accept();
      const second = await lab.endpoint('client').connect(listener.local, opened);
      const beganNs = lab.clock.now();
      expect(await second.send('at once')).to.equal(7);
      const accepted = await listener.accept();
      expect(String((await accepted.receiveAll({ octets: 7 })).data)).to.equal('at once');
      expect(lab.clock.now() - beganNs).to.equal(LATENCY_NS);
      await accepted.send('and back');
      expect(String((await second.receiveAll({ octets: 8 })).data)).to.equal('and back');
      await first.close();
    });
  });

  it('knows the MTU of its link', async () => {
    await withLab({ ipVersion: 4, mtu: 576 }, async (lab) => {
      const { client } = await connected(lab);
      expect((await client.info()).advmssOctets).to.equal(576 - 40 - 12);
    });
  });
});
