/** A hundred connections at once through one wire: none of their segments may be lost, or pass unseen. */
import type { Connection, Endpoint } from '../harness/endpoint/index.js';
import type { PairedWire } from '../harness/lab/index.js';
import type { Figure } from './figure.js';
import { NANOS_PER_MS, nowNs } from './statistics.js';
import { lostOf } from './throughput.js';

const CONNECTIONS = 100;
const OCTETS = 10_000;

export interface Crowd {
  readonly client: Pick<Endpoint, 'connect'>;
  readonly server: Pick<Endpoint, 'listen'>;
  readonly port: number;
  readonly wire: Pick<PairedWire, 'wire' | 'recording' | 'missed'>;
  /** What they go through, for the figure's name. */
  readonly through: string;
}

export async function crowd({ client, server, port, wire, through }: Crowd): Promise<Figure> {
  const listener = await server.listen({ port });
  const before = (await wire.recording()).segments.length;
  const beginNs = nowNs();
  const pair = async (): Promise<readonly [Connection, Connection]> => {
    const near = await client.connect(listener.local);
    return [near, await listener.accept()];
  };
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const [near, far] = await pair();
      const received = far.receiveAll({ octets: OCTETS });
      await near.send(new Uint8Array(OCTETS));
      await received;
      await near.close();
      await far.close();
    }),
  );
  const tookMs = (nowNs() - beginNs) / NANOS_PER_MS;
  await wire.wire.quiet({ forMs: 50, withinMs: 5000 });
  const segments = (await wire.recording()).segments.slice(before);
  const lost = lostOf(segments) + (await wire.missed());
  return {
    name: `  ${CONNECTIONS} connections at once${through}, ${segments.length} segments in ${tookMs.toFixed(0)} ms: lost or missed`,
    value: String(lost),
    target: { text: '0', isMet: lost === 0 },
  };
}
