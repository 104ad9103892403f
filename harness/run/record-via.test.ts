import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect } from 'chai';
import { onLeg, passesThrough } from '../check/index.js';
import { drop, finalAck, rst } from '../fault/index.js';
import { netnsCapability, type ViaOptions } from '../lab/index.js';
import { toxiproxyServer } from '../toxiproxy/index.js';
import { callsOf, firstSegment, segmentsOf, statesOf } from '../trace/index.js';
import { InconclusiveVia, recordVia } from './record-via.js';
import type { ViaStage } from './via-stage.js';

/** Toxiproxy servers that are children of this process, or of a shell that is. */
function serversHere(program: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/exe`) === program && parents(pid).includes(String(process.pid));
    } catch {
      return false; // it ended meanwhile, or is not ours to see
    }
  }).length;
}

function parents(pid: string): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '0';
  return parent === '0' ? [] : [parent, ...parents(parent)];
}

const namespaces = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('net:');
    } catch {
      return false; // that of the folder itself
    }
  }).length;

const asks = async ({ established }: ViaStage): Promise<void> => {
  const { client, server } = await established();
  await client.send('ping');
  await server.receiveAll({ octets: 4 });
};

describe('a recording with Toxiproxy between', function () {
  this.timeout(600_000);
  let program = '';
  before(async function () {
    const { way, sentence } = netnsCapability();
    try {
      if (way !== 'direct') throw new Error(sentence);
      program = (await toxiproxyServer()).path;
    } catch (error) {
      process.stderr.write(`skipped: ${error instanceof Error ? error.message : String(error)}\n`);
      this.skip();
    }
  });

  for (const ipVersion of [4, 6] as const) {
    it(`has two legs of one time, with IPv${ipVersion}`, async () => {
      const legs = await recordVia({ ipVersion }, asks);
      const near = firstSegment(legs.client, { data: true });
      const far = firstSegment(legs.server, { data: true });
      expect(far?.atNs).to.be.greaterThan(near?.atNs ?? Number.POSITIVE_INFINITY);
      expect(Number(far?.atNs) - Number(near?.atNs)).to.be.lessThan(1e9);
      expect(legs.client.startedAtUnixNs.length).to.equal(legs.server.startedAtUnixNs.length);
    });
  }

  it('names the ends, and has the calls of each on its own leg', async () => {
    const legs = await recordVia({ name: 'mine', toxics: ['latency 5ms'] }, asks);
    expect(legs.client.endpoints.map(({ stack }) => stack.split('@')[0])).to.deep.equal([
      'linux',
      'toxiproxy',
    ]);
    expect(legs.server.endpoints.map(({ stack }) => stack.split('@')[0])).to.deep.equal([
      'toxiproxy',
      'linux',
    ]);
    expect(callsOf(legs.client, 'server')).to.deep.equal([]);
    expect(callsOf(legs.server, 'server', { call: 'accept' }).length).to.equal(1);
    expect(legs.client.scenario).to.equal('mine-client-leg');
    expect(legs.client.settings).to.deep.equal({ 'toxic 1': 'latency downstream latency 5ms' });
  });

  it('shows the states of all four ends, and those of no other connection', async () => {
    const legs = await recordVia({}, asks);
    for (const leg of [legs.client, legs.server]) {
      expect(statesOf(leg, 'client')).to.deep.equal(['SYN-SENT', 'ESTABLISHED']);
      expect(statesOf(leg, 'server')).to.deep.equal(['SYN-RECEIVED', 'ESTABLISHED']);
      const ports = new Set(segmentsOf(leg).flatMap(({ segment }) => [segment.srcPort, segment.dstPort]));
      for (const event of leg.events)
        if (event.kind === 'transition' && event.remote.port !== 0)
          expect([...ports]).to.include(event.remote.port);
    }
  });

  it('sees states without tracepoints, too', async () => {
    const legs = await recordVia({ eyes: 'sock_diag' }, asks);
    const about = { id: 'states', sentence: 'It is established', source: 'none' };
    const check = onLeg('server', passesThrough('client', ['SYN-SENT', 'ESTABLISHED']), about);
    expect(check.judge(legs).verdict).to.equal('pass');
  });

  it('loses a segment on one leg alone', async () => {
    const legs = await recordVia({ faults: { server: [drop(finalAck().first())] } }, async (stage) => {
      const { client, server } = await stage.established();
      await client.close();
      await server.receiveAll();
      await server.close();
      await stage.wires.server.sees(finalAck().copy(2), { delivered: true });
    });
    expect(segmentsOf(legs.server, { fate: 'dropped' }).length).to.equal(1);
    expect(segmentsOf(legs.client, { fate: 'dropped' })).to.deep.equal([]);
  });

  it('is inconclusive when a fault of a leg never acted, and keeps what happened instead', async () => {
    const options: Partial<ViaOptions> = { faults: { client: [drop(rst())] } };
    const failure = await recordVia(options, asks).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(InconclusiveVia);
    if (!(failure instanceof InconclusiveVia)) return;
    expect(failure.message).to.equal('recorded: fault "drop rst" matched no segment');
    expect(segmentsOf(failure.legs.client, { data: true }).length).to.equal(1);
  });

  it('leaves no server and no namespace behind, also after a toxic that there is not', async () => {
    await recordVia({}, asks);
    const before = namespaces();
    const failure = await recordVia({ toxics: ['packet_loss 0.1'] }, asks).catch((error: unknown) => error);
    expect(String(failure)).to.match(/^ToxiproxyError: Toxiproxy .* has no toxic packet_loss: /);
    await recordVia({}, asks);
    expect(namespaces()).to.equal(before);
    expect(serversHere(program)).to.equal(0);
  });
});
