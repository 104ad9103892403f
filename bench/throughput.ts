/** Much at once through one wire: bulk data, and a hundred connections. */
import type { SegmentRecord } from '../harness/wire/index.js';
import type { Figure } from './figure.js';
import { BarePath, connect, connectLab, type Ends, openWire } from './paths.js';
import { median, nowNs } from './statistics.js';

const BULK_OCTETS = 16_000_000;
const CHUNK_OCTETS = 65_536;
const ROUNDS = 5;
const CONNECTIONS = 100;
const WITHIN_MS = 30_000;
const NANOS_PER_US = 1000;

export async function bulk(): Promise<Figure[]> {
  const bare = new BarePath();
  const throughWire: number[] = [];
  const overVeth: number[] = [];
  let lost = 0;
  try {
    const bareEnds = await connect(bare.client, bare.server);
    for (let round = 0; round < ROUNDS; round += 1) {
      const wire = await openWire(false);
      try {
        throughWire.push(await transfer(await connectLab(wire)));
        lost += lostOf((await wire.recording()).segments);
      } finally {
        await wire[Symbol.asyncDispose]();
      }
      overVeth.push(await transfer(bareEnds));
    }
  } finally {
    await bare[Symbol.asyncDispose]();
  }
  return [
    {
      name: `bulk, ${BULK_OCTETS / 1e6} MB`,
      value: `${median(throughWire).toFixed(1)} MB/s`,
      beside: `bare veth ${median(overVeth).toFixed(1)} MB/s`,
      ratio: median(throughWire) / median(overVeth),
    },
    { name: '  segments lost', value: String(lost), target: { text: '0', isMet: lost === 0 } },
  ];
}

/** Megabytes a second. */
export async function transfer({ client, server }: Ends, octets = BULK_OCTETS): Promise<number> {
  const chunk = new Uint8Array(CHUNK_OCTETS);
  const beginNs = nowNs();
  const received = server.receiveAll({ octets, withinMs: WITHIN_MS });
  for (let left = octets; left > 0; )
    left -= await client.send(chunk.subarray(0, Math.min(left, CHUNK_OCTETS)), { withinMs: WITHIN_MS });
  await received;
  return octets / ((nowNs() - beginNs) / NANOS_PER_US);
}

/** What the ring or the links lose, no recording is made of. What the wire itself did not hand over counts here. */
export const lostOf = (segments: readonly SegmentRecord[]): number =>
  segments.filter(({ deliveries }) => deliveries.length !== 1).length;

export async function hundredConnections(): Promise<Figure[]> {
  const lab = await openWire(false);
  try {
    const listener = await lab.endpoint('server').listen();
    const beginNs = nowNs();
    const retransmitted = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const client = await lab.endpoint('client').connect(listener.local);
        const server = await listener.accept();
        const received = server.receiveAll({ octets: 10_000 });
        await client.send(new Uint8Array(10_000));
        await received;
        const counts = await Promise.all([client.info(), server.info()]);
        await client.close();
        await server.close();
        return counts.reduce((sum, { totalRetrans }) => sum + (totalRetrans ?? 0), 0);
      }),
    );
    const tookMs = (nowNs() - beginNs) / 1e6;
    await lab.wire.quiet({ forMs: 50, withinMs: 5000 });
    const { segments } = await lab.recording();
    const lost = lostOf(segments);
    const again = retransmitted.reduce((sum, count) => sum + count, 0);
    return [
      {
        name: `${CONNECTIONS} connections at once, ${segments.length} segments in ${tookMs.toFixed(0)} ms: lost`,
        value: String(lost),
        target: { text: '0', isMet: lost === 0 },
      },
      // Nothing was lost: these are the stacks' own probes (RFC 8985 section 7) when the wire was late.
      { name: '  retransmitted needlessly', value: String(again) },
    ];
  } finally {
    await lab[Symbol.asyncDispose]();
  }
}
