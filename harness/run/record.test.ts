import { expect } from 'chai';
import { WaitTimeout } from '../endpoint/index.js';
import { drop, finalAck, rst } from '../fault/index.js';
import { segmentsOf, statesOf } from '../trace/index.js';
import { Inconclusive, record } from './record.js';
import type { Stage } from './scenario.js';

const PORT = 7000;

async function closesInOrder({ client, server, ip }: Stage): Promise<void> {
  const listener = await server.listen({ port: PORT });
  const active = await client.connect({ ip: ip('server'), port: PORT });
  const passive = await listener.accept();
  await active.shutdown('write');
  await passive.receiveAll();
  await passive.close();
  await active.receiveAll();
  await active.close();
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

for (const ipVersion of [4, 6] as const) {
  describe(`recording a story of one's own over IPv${ipVersion}`, () => {
    it('hands over the trace of a lost final ACK', async () => {
      const faults = [drop(finalAck().from('client').copy(1))];
      const trace = await record({ name: 'my-close', ipVersion, faults }, async (stage) => {
        await closesInOrder(stage);
        await stage.reaches('server', 'CLOSED');
      });
      expect(trace.scenario).to.equal('my-close');
      expect(trace.ipVersion).to.equal(ipVersion);
      expect(segmentsOf(trace, { role: 'final-ack', fate: 'dropped' })).to.have.length(1);
      expect(segmentsOf(trace, { role: 'passive-fin', from: 'server' })).to.have.length(2);
      expect(statesOf(trace, 'server').slice(-3)).to.deep.equal(['CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
    });

    it('is inconclusive when a fault of the plan matched nothing, and shows what there was', async () => {
      const faults = [drop(rst())];
      const error = await rejection(record({ ipVersion, faults }, closesInOrder));
      if (!(error instanceof Inconclusive)) throw new Error('it is not Inconclusive', { cause: error });
      expect(error.message).to.equal('recorded: fault "drop rst" matched no segment');
      expect(segmentsOf(error.trace, { role: 'final-ack', fate: 'delivered' })).to.have.length(1);
    });

    it('throws what the story threw', async () => {
      const error = await rejection(
        record({ ipVersion }, async ({ server }) => {
          const listener = await server.listen({ port: PORT });
          await listener.accept({ withinMs: 1 });
        }),
      );
      expect(error).to.be.instanceOf(WaitTimeout);
    });

    it('gives a story that stays until the last timer has ended the time for it', async () => {
      const trace = await record({ ipVersion, limitMs: 20, untilClosed: true }, (stage) =>
        stage.pass(60, 'longer than the limit of a story that does not stay'),
      );
      expect(trace.scenario).to.equal('recorded');
    });

    it('ends a story that does not end', async () => {
      const error = await rejection(record({ ipVersion, limitMs: 50 }, () => new Promise(() => {})));
      expect(error).to.be.instanceOf(Inconclusive);
      expect(error).to.have.property('message', 'recorded: not played to its end within 50 ms');
    });
  });
}
