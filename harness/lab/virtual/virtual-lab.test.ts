import { expect } from 'chai';
import { NANOS_PER_MS, NANOS_PER_SECOND } from '../../clock/index.js';
import { SocketError, WaitTimeout } from '../../endpoint/index.js';
import { delay, drop, syn } from '../../fault/index.js';
import { TimeoutError } from '../../wire/index.js';
import type { Lab } from '../lab.js';
import { connected, failureOf, needsKernel, openLab, withLab } from './virtual.fixture.js';
import { LATENCY_NS } from './virtual-lab.js';
import { World } from './world.js';

const sleep = (lab: Lab, ms: number): Promise<void> =>
  new Promise((resolve) => lab.clock.at(lab.clock.now() + ms * NANOS_PER_MS, resolve));

describe('a virtual lab', () => {
  before(needsKernel);
  after(() => World.shared()[Symbol.dispose]());

  for (const ipVersion of [4, 6] as const) {
    it(`carries a connection over IPv${ipVersion}, and nothing else`, async () => {
      await withLab({ ipVersion }, async (lab) => {
        const { client, server } = await connected(lab);
        await client.send('ping');
        expect(String((await server.receiveAll({ octets: 4 })).data)).to.equal('ping');
        await client.close();
        expect(await server.receive()).to.deep.equal({ kind: 'end' });
        await server.close();
        await sleep(lab, 1000);
        const { segments } = await lab.recording();
        expect(segments.every(({ facts }) => facts !== undefined)).to.equal(true);
        expect(segments.map(({ from }) => from)).to.include.members(['client', 'server']);
      });
    });
  }

  it('stamps to the nanosecond: a segment is under way for exactly the latency', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      await connected(lab);
      const { segments } = await lab.recording();
      for (const { atNs, deliveries } of segments) expect(deliveries[0]?.atNs).to.equal(atNs + LATENCY_NS);
    });
  });

  it('delays by exactly what the plan says', async () => {
    await withLab({ ipVersion: 4, faults: [delay(syn(), { byMs: 300 })] }, async (lab) => {
      await connected(lab);
      const { atNs, deliveries } = await lab.wire.sees(syn(), { delivered: true });
      expect((deliveries[0]?.atNs ?? 0) - atNs).to.equal(300 * NANOS_PER_MS + LATENCY_NS);
    });
  });

  it('sees each state at its instant, TIME-WAIT to its end', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const { client, server } = await connected(lab);
      await client.close();
      await server.receive();
      await server.close();
      await sleep(lab, 70_000);
      const { transitions } = await lab.recording();
      const states = (side: string) =>
        transitions.filter((each) => each.side === side && each.remote.port !== 0).map(({ to }) => to);
      expect(states('client')).to.deep.equal([
        'SYN-SENT',
        'ESTABLISHED',
        'FIN-WAIT-1',
        'FIN-WAIT-2',
        'TIME-WAIT',
        'CLOSED',
      ]);
      expect(states('server')).to.deep.equal([
        'SYN-RECEIVED',
        'ESTABLISHED',
        'CLOSE-WAIT',
        'LAST-ACK',
        'CLOSED',
      ]);
      expect(transitions.every(({ certainty }) => certainty === 'exact')).to.equal(true);
      const [begun, ended] = transitions.filter(({ from, to }) => from === 'TIME-WAIT' || to === 'TIME-WAIT');
      expect((ended?.atNs ?? 0) - (begun?.atNs ?? 0)).to.be.within(
        60 * NANOS_PER_SECOND,
        67.5 * NANOS_PER_SECOND,
      );
    });
  });

  it('lets the harness wait in virtual time: minutes pass in a moment', async () => {
    await withLab({ ipVersion: 4, faults: [drop(syn())] }, async (lab) => {
      const beganMs = performance.now();
      const opening = lab
        .endpoint('client')
        .connect({ ip: lab.ip('server'), port: 9 }, { withinMs: 600_000 });
      const error = await failureOf(opening);
      expect(error).to.be.instanceOf(SocketError);
      expect(error.message).to.contain('ETIMEDOUT');
      expect(lab.clock.now()).to.be.greaterThan(100 * NANOS_PER_SECOND);
      expect(performance.now() - beganMs).to.be.lessThan(5000);
      const awaited = await failureOf(lab.wire.sees(syn().from('server'), { withinMs: 3_600_000 }));
      expect(awaited).to.be.instanceOf(TimeoutError);
      const listener = await lab.endpoint('client').listen();
      expect(await failureOf(listener.accept({ withinMs: 86_400_000 }))).to.be.instanceOf(WaitTimeout);
      expect(lab.clock.now()).to.be.greaterThan(90_000 * NANOS_PER_SECOND);
    });
  });

  it('has many labs side by side in one timeline, each with its own settings', async () => {
    const labs = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((retries) =>
        openLab({
          ipVersion: 4,
          faults: [drop(syn())],
          settings: { client: { 'ipv4.tcp_syn_retries': retries, 'ipv4.tcp_syn_linear_timeouts': 0 } },
        }),
      ),
    );
    try {
      const took = await Promise.all(
        labs.map(async (lab) => {
          const to = { ip: lab.ip('server'), port: 9 };
          await failureOf(lab.endpoint('client').connect(to, { withinMs: 600_000 }));
          return (await lab.recording()).segments.length;
        }),
      );
      expect(took).to.deep.equal([2, 3, 4, 5, 6, 7]);
    } finally {
      await Promise.all(labs.map((lab) => lab[Symbol.asyncDispose]()));
    }
  });

  it('gives the links the MTU that was asked for, and a stack its MSS by it', async () => {
    await withLab({ ipVersion: 4, mtu: 576 }, async (lab) => {
      const { client } = await connected(lab);
      expect((await client.info()).advmssOctets).to.equal(576 - 40 - 12);
    });
  });

  it('carries packets as large as a guest can, and refuses larger ones in one sentence', async () => {
    await withLab({ ipVersion: 4, mtu: 16_000 }, async (lab) => {
      const { client, server } = await connected(lab);
      await client.send('x'.repeat(15_000));
      await server.receiveAll({ octets: 15_000 });
      const { segments } = await lab.recording();
      expect(Math.max(...segments.map(({ packet }) => packet.length))).to.be.greaterThan(15_000);
    });
    const error = await failureOf(openLab({ ipVersion: 4, mtu: 16_001 }));
    expect(error.message).to.equal(
      'a virtual lab with IPv4 cannot have an MTU of 16001: give a number from 68 to 16000',
    );
  });

  it('says what is wrong with a setting, and leaves nothing open', async () => {
    const settings = { client: { 'ipv4.tcp_no_such_thing': 1 } };
    const error = await failureOf(openLab({ ipVersion: 4, settings }));
    expect(error.message).to.match(/^client: kernel setting net\.ipv4\.tcp_no_such_thing = 1 failed: /);
    await withLab({ ipVersion: 4 }, connected);
  });

  it('carries more than any buffer holds, whole and in order', async () => {
    await withLab({ ipVersion: 4 }, async (lab) => {
      const { client, server } = await connected(lab);
      const octets = Uint8Array.from({ length: 2_000_000 }, (_, i) => i % 251);
      const [, got] = await Promise.all([
        client.send(octets, { withinMs: 60_000 }),
        server.receiveAll({ octets: octets.length, withinMs: 60_000 }),
      ]);
      expect(Buffer.compare(got.data, octets)).to.equal(0);
    });
  });
});
