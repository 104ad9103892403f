/**
 * The wire through the hooks of a namespace that somebody else made (NFQUEUE): what it adds to a segment, beside a bare veth in turns, and a hundred
 * connections at once through one.
 */
import type { Connection } from '../harness/endpoint/index.js';
import { type Attachment, AttachRefused, attach, type Target } from '../harness/lab/index.js';
import type { Figure } from './figure.js';
import { BarePath, type Ends } from './paths.js';
import { ping, takeTurns } from './round-trip.js';
import { median, NANOS_PER_MS, nowNs } from './statistics.js';
import { lostOf, transfer } from './throughput.js';

const PORT = 5432;
const CONNECTIONS = 100;
const OCTETS = 10_000;
const BULK_OCTETS = 4_000_000;
/** A ping is a segment there and one back. */
const SEGMENTS_OF_A_PING = 2;
const MOST_ADDED_US = 250;

export async function attachedWire(): Promise<Figure[]> {
  try {
    return [...(await added()), ...(await hundredConnections())];
  } catch (error) {
    if (!(error instanceof AttachRefused)) throw error;
    process.stdout.write(`the attached wire was not measured: ${error.message}\n`);
    return [];
  }
}

async function added(): Promise<Figure[]> {
  const paths = [new BarePath(), new BarePath(), new BarePath()] as const;
  const [bare, hooked, looking] = paths;
  const wires = [
    await attach({ target: targetOf(hooked), port: PORT, eyes: 'none' }),
    await attach({ target: targetOf(looking), port: PORT, eyes: 'sock_diag' }),
  ];
  try {
    const ends = [await connect(bare), await connect(hooked), await connect(looking)] as const;
    const rounds = await takeTurns(ends.map((each) => () => ping(each)));
    const [bareUs = Number.NaN, hookedUs = Number.NaN, lookingUs = Number.NaN] = rounds.map(median);
    const addedUs = (us: number) => (us - bareUs) / SEGMENTS_OF_A_PING;
    const target = (us: number) => ({ text: `<= ${MOST_ADDED_US} us`, isMet: us <= MOST_ADDED_US });
    const bulk = await transfer(ends[1], BULK_OCTETS);
    const bareBulk = await transfer(ends[0], BULK_OCTETS);
    return [
      {
        name: 'attached wire: round trip',
        value: `${hookedUs.toFixed(1)} us`,
        beside: `bare veth ${bareUs.toFixed(1)} us`,
        ratio: hookedUs / bareUs,
      },
      {
        name: '  added to a segment',
        value: `${addedUs(hookedUs).toFixed(1)} us`,
        target: target(addedUs(hookedUs)),
      },
      {
        name: '  and with a look at the socket for each segment',
        value: `${addedUs(lookingUs).toFixed(1)} us`,
        target: target(addedUs(lookingUs)),
      },
      {
        name: `  bulk, ${BULK_OCTETS / 1e6} MB`,
        value: `${bulk.toFixed(1)} MB/s`,
        beside: `bare veth ${bareBulk.toFixed(1)} MB/s`,
        ratio: bulk / bareBulk,
      },
    ];
  } finally {
    await closeAll(wires, paths);
  }
}

async function hundredConnections(): Promise<Figure[]> {
  const path = new BarePath();
  const wire = await attach({ target: targetOf(path), port: PORT });
  try {
    const listener = await path.server.listen({ port: PORT });
    const beginNs = nowNs();
    const pair = async (): Promise<readonly [Connection, Connection]> => {
      const client = await path.client.connect(listener.local);
      return [client, await listener.accept()];
    };
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const [client, server] = await pair();
        const received = server.receiveAll({ octets: OCTETS });
        await client.send(new Uint8Array(OCTETS));
        await received;
        await client.close();
        await server.close();
      }),
    );
    const tookMs = (nowNs() - beginNs) / NANOS_PER_MS;
    await wire.wire.quiet({ forMs: 50, withinMs: 5000 });
    const { segments } = await wire.recording();
    const lost = lostOf(segments) + (await wire.missed());
    return [
      {
        name: `  ${CONNECTIONS} connections at once, ${segments.length} segments in ${tookMs.toFixed(0)} ms: lost or missed`,
        value: String(lost),
        target: { text: '0', isMet: lost === 0 },
      },
    ];
  } finally {
    await closeAll([wire], [path]);
  }
}

const targetOf = ({ pair }: BarePath): Target => {
  const namespace = pair.namespace('server');
  return { text: 'a namespace', pid: process.pid, namespace, isAlive: () => true, [Symbol.dispose]() {} };
};

async function connect(path: BarePath): Promise<Ends> {
  const listener = await path.server.listen({ port: PORT });
  const client = await path.client.connect(listener.local);
  const server = await listener.accept();
  for (const end of [client, server]) await end.setOption('TCP_NODELAY', 1);
  return { client, server };
}

async function closeAll(wires: readonly Attachment[], paths: readonly BarePath[]): Promise<void> {
  for (const wire of wires) await wire[Symbol.asyncDispose]();
  for (const path of paths) await path[Symbol.asyncDispose]();
}
