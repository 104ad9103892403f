/** The project's own TCP in real time, at the in-process end of the wire. */
import { expect } from 'chai';
import { Unsupported } from '../../endpoint/index.js';
import { drop, synAck } from '../../fault/index.js';
import type { LabOptions } from '../lab.js';
import { connected, failureOf, needsNetns } from './netns.fixture.js';
import { type NetnsLab, type NetnsStacks, netnsLabs } from './netns-lab.js';

const PAIRS: readonly NetnsStacks[] = [
  { client: 'stack', server: 'stack' },
  { client: 'stack', server: 'linux' },
  { client: 'linux', server: 'stack' },
];

async function withLab<T>(
  stacks: NetnsStacks,
  options: LabOptions,
  step: (lab: NetnsLab) => Promise<T>,
): Promise<T> {
  await using lab = await netnsLabs(stacks)(options);
  return await step(lab);
}

describe('our own TCP in the netns lab', () => {
  before(needsNetns);

  for (const stacks of PAIRS)
    for (const ipVersion of [4, 6] as const)
      it(`carries data from ${stacks.client} to ${stacks.server} and back over IPv${ipVersion}`, async () => {
        await withLab(stacks, { ipVersion }, async (lab) => {
          const { client, server } = await connected(lab);
          const octets = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
          for (const [from, to] of [
            [client, server],
            [server, client],
          ] as const) {
            const [, got] = await Promise.all([from.send(octets), to.receiveAll({ octets: octets.length })]);
            expect(Buffer.compare(got.data, octets)).to.equal(0);
          }
          const { segments } = await lab.recording();
          expect(segments.every(({ origin }) => origin === 'endpoint')).to.equal(true);
          for (const { atNs, deliveries } of segments)
            for (const delivery of deliveries) expect(delivery.atNs).to.be.at.least(atNs);
        });
      });

  it('reports each state, beside a kernel whose states are looked at', async () => {
    await withLab({ client: 'stack', server: 'linux' }, { ipVersion: 4 }, async (lab) => {
      const { client, server } = await connected(lab);
      await client.close();
      await server.receive();
      await server.close();
      while ((await lab.endpoint('server').sockets()).some(({ state }) => state === 'LAST-ACK'));
      const { transitions, eyes } = await lab.recording();
      const ofClient = transitions.filter(({ side }) => side === 'client');
      expect(ofClient.map(({ to }) => to).join(' ')).to.equal(
        'SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT',
      );
      for (const { eye, certainty } of ofClient)
        expect({ eye, certainty }).to.deep.equal({ eye: 'report', certainty: 'exact' });
      expect(transitions.some(({ side, eye }) => side === 'server' && eye !== 'report')).to.equal(true);
      expect(eyes).to.include('report').and.include('sock_diag');
    });
  });

  it('keeps the time: a SYN comes again after a second', async () => {
    const faults = [drop(synAck().copy(1))];
    await withLab({ client: 'stack', server: 'linux' }, { ipVersion: 4, faults }, async (lab) => {
      await connected(lab);
      const { segments } = await lab.recording();
      const [first, second] = segments.filter(({ facts }) => facts?.roles.includes('syn'));
      const afterMs = ((second?.atNs ?? 0) - (first?.atNs ?? 0)) / 1e6;
      expect(afterMs).to.be.within(999, 1150);
    });
  });

  it('says that it is unsupported what it does not have', async () => {
    const settings = { server: { 'ipv4.tcp_frto': 1 } };
    const opening = netnsLabs({ client: 'linux', server: 'stack' })({ ipVersion: 4, settings });
    const error = await failureOf(opening);
    expect(error).to.be.instanceOf(Unsupported);
    expect(error.message).to.equal('the endpoint stack has no setting net.ipv4.tcp_frto');
  });

  it('has many labs side by side', async () => {
    const open = netnsLabs({ client: 'stack', server: 'stack' });
    const labs = await Promise.all(Array.from({ length: 30 }, () => open({ ipVersion: 4 })));
    try {
      await Promise.all(
        labs.map(async (lab) => {
          const { client, server } = await connected(lab);
          await client.send(lab.ip('client'));
          const { data } = await server.receiveAll({ octets: lab.ip('client').length });
          expect(String(data)).to.equal(lab.ip('client'));
        }),
      );
    } finally {
      await Promise.all(labs.map((lab) => lab[Symbol.asyncDispose]()));
    }
  });
});
