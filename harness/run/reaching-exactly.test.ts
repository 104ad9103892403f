/** Waiting for a state in a lab that tells of changes: what ends the wait, and when. */
import { expect } from 'chai';
import { NANOS_PER_MS } from '../clock/index.js';
import { WaitTimeout } from '../endpoint/index.js';
import { drop, passiveFin, syn } from '../fault/index.js';
import { virtualLabs, World } from '../lab/index.js';
import { decode, encode, makeSegment, seqAdd } from '../segment/index.js';
import { transitionsOf } from '../trace/index.js';
import { installedKernels, isUpToDate } from '../uml/index.js';
import { type RecordOptions, record } from './record.js';
import type { Stage } from './scenario.js';

const kernel = installedKernels().findLast(isUpToDate);
const release = kernel?.release ?? '';
const openLab = virtualLabs({ client: release, server: release });
const PORT = 7000;
const HOUR_MS = 3_600_000;

/** When the story's wait was over, and when the client's connection came to `state`, on the trace's clock. */
async function waited(
  state: 'CLOSED' | 'TIME-WAIT',
  story: (stage: Stage) => Promise<void>,
  options: RecordOptions = {},
): Promise<{ readonly overNs: number; readonly cameNs: number | undefined }> {
  const trace = await record({ ...options, openLab, limitMs: 2 * HOUR_MS }, async (stage) => {
    await story(stage);
    stage.mark('over');
  });
  const over = trace.events.findLast(({ kind }) => kind === 'mark');
  const came = transitionsOf(trace, 'client').find(({ to }) => to === state);
  return { overNs: over?.atNs ?? 0, cameNs: came?.atNs };
}

async function closedByClient({ client, server }: Stage) {
  const listener = await server.listen({ port: PORT });
  const first = await client.connect(listener.local);
  const second = await listener.accept();
  await first.close();
  await second.receive();
  await second.close();
  return first;
}

/** A RST with the number that follows a FIN. */
function resetBehind(fin: Uint8Array): Uint8Array {
  const decoded = decode(fin);
  if (decoded.kind !== 'segment') throw new Error('the FIN is no segment');
  const { ip, srcPort, dstPort, seq } = decoded.segment;
  return encode(
    makeSegment({ src: ip.src, dst: ip.dst, srcPort, dstPort, flags: 'RST', seq: seqAdd(seq, 1) }),
  );
}

describe('waiting for a state in virtual time', () => {
  before(function () {
    if (kernel === undefined) this.skip();
  });
  after(() => World.shared()[Symbol.dispose]());

  it('is over at the nanosecond at which TIME-WAIT begins, and at which it ends by its timer', async () => {
    const begun = await waited('TIME-WAIT', async (stage) => {
      await closedByClient(stage);
      await stage.reaches('client', 'TIME-WAIT');
    });
    expect(begun.overNs).to.equal(begun.cameNs);
    const ended = await waited('CLOSED', async (stage) => {
      await closedByClient(stage);
      await stage.reaches('client', 'CLOSED', { withinMs: 100_000 });
    });
    expect(ended.overNs).to.equal(ended.cameNs);
    expect(ended.overNs).to.be.within(60_000 * NANOS_PER_MS, 67_500 * NANOS_PER_MS);
  });

  it('is over when a RST ends TIME-WAIT long before its timer', async () => {
    const { overNs, cameNs } = await waited('CLOSED', async (stage) => {
      await closedByClient(stage);
      const { packet } = await stage.wire.sees(passiveFin());
      await stage.reaches('client', 'TIME-WAIT');
      const ended = stage.reaches('client', 'CLOSED', { withinMs: 100_000 });
      await stage.pass(5000, 'TIME-WAIT is to run for a while');
      await stage.wire.inject(resetBehind(packet), 'client');
      await ended;
    });
    expect(overNs).to.equal(cameNs);
    expect(overNs).to.be.within(5000 * NANOS_PER_MS, 5010 * NANOS_PER_MS);
  });

  it('is over when a call ends a connection that nobody else hears of', async () => {
    const faults = [drop(syn())];
    const { overNs, cameNs } = await waited(
      'CLOSED',
      async (stage) => {
        const opening = await stage.client.open({ ip: stage.ip('server'), port: PORT });
        await stage.reaches('client', 'SYN-SENT');
        const closed = stage.reaches('client', 'CLOSED', { withinMs: 20_000 });
        await stage.pass(3000, 'the SYN is to be repeated');
        await opening.close();
        await closed;
      },
      { faults },
    );
    expect(overNs).to.equal(cameNs);
    expect(overNs).to.equal(3000 * NANOS_PER_MS);
  });

  it('is over when it was told to give up, and not later', async () => {
    const { overNs } = await waited('CLOSED', async (stage) => {
      await closedByClient(stage);
      const fromNs = stage.clock.now();
      const error = await stage
        .reaches('client', 'CLOSED', { withinMs: 30_000 })
        .catch((each: unknown) => each);
      expect(error).to.be.instanceOf(WaitTimeout);
      expect(stage.clock.now() - fromNs).to.equal(30_000 * NANOS_PER_MS);
    });
    expect(overNs).to.be.greaterThan(30_000 * NANOS_PER_MS);
  });
});
