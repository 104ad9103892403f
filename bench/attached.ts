/**
 * The wire through the hooks of namespaces that somebody else made (NFQUEUE), of one and between two: what it adds to a segment, beside a bare veth
 * in turns, and a hundred connections at once through one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  AttachRefused,
  attach,
  openPairedWire,
  type PairedWire,
  type PairedWireOptions,
  type Target,
} from '../harness/lab/index.js';
import type { Figure } from './figure.js';
import { crowd } from './hundred-connections.js';
import { BarePath, type Ends } from './paths.js';
import { ping, takeTurns } from './round-trip.js';
import { median } from './statistics.js';
import { transfer } from './throughput.js';

const MAIN = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url));
const PORT = 5432;
const BULK_OCTETS = 4_000_000;
/** A ping is a segment there and one back. */
const SEGMENTS_OF_A_PING = 2;
const MOST_ADDED_US = 250;

export async function attachedWire(): Promise<Figure[]> {
  try {
    return [
      ...(await added()),
      ...(await hundredConnections('looking')),
      ...(await hundredConnections('paired, looking')),
    ];
  } catch (error) {
    if (!(error instanceof AttachRefused)) throw error;
    process.stdout.write(`the attached wire was not measured: ${error.message}\n`);
    return [];
  }
}

/** What is put into a path, and what ends it. */
type PutIn = (path: BarePath) => Promise<AsyncDisposable | undefined>;

/** In turns: whatever else the machine does falls on all of them. */
const PUT_IN = {
  nothing: async () => undefined,
  hooked: (path) => attach({ target: targetOf(path), port: PORT, eyes: 'none' }),
  looking: (path) => attach({ target: targetOf(path), port: PORT, eyes: 'sock_diag' }),
  paired: (path) => pairedWire(path, { eyes: 'none' }),
  'paired, looking': (path) => pairedWire(path, { eyes: 'sock_diag' }),
  'in a process': (path) => wireInProcess(path),
} as const satisfies Readonly<Record<string, PutIn>>;
type Kind = keyof typeof PUT_IN;

async function added(): Promise<Figure[]> {
  const made: AsyncDisposable[] = [];
  try {
    const ends = new Map<Kind, Ends>();
    for (const kind of Object.keys(PUT_IN) as Kind[]) {
      const path = new BarePath();
      made.unshift(path);
      const wire = await PUT_IN[kind](path);
      if (wire !== undefined) made.unshift(wire);
      ends.set(kind, await connect(path));
    }
    return await figuresOf(ends);
  } finally {
    for (const each of made) await each[Symbol.asyncDispose]();
  }
}

async function figuresOf(ends: ReadonlyMap<Kind, Ends>): Promise<Figure[]> {
  const rounds = await takeTurns([...ends.values()].map((each) => () => ping(each)));
  const usOf = new Map([...ends.keys()].map((kind, i) => [kind, median(rounds[i] ?? [])]));
  const us = (kind: Kind): number => usOf.get(kind) ?? Number.NaN;
  const bulkOf = async (kind: Kind): Promise<number> => {
    const found = ends.get(kind);
    return found === undefined ? Number.NaN : await transfer(found, BULK_OCTETS);
  };
  const addedTo = (name: string, kind: Kind): Figure => {
    const addedUs = (us(kind) - us('nothing')) / SEGMENTS_OF_A_PING;
    const target = { text: `<= ${MOST_ADDED_US} us`, isMet: addedUs <= MOST_ADDED_US };
    return { name, value: `${addedUs.toFixed(1)} us`, target };
  };
  const bareBulk = await bulkOf('nothing');
  const bulk = async (name: string, kind: Kind): Promise<Figure> => {
    const rate = await bulkOf(kind);
    return {
      name: `  ${name}, ${BULK_OCTETS / 1e6} MB`,
      value: `${rate.toFixed(1)} MB/s`,
      beside: `bare veth ${bareBulk.toFixed(1)} MB/s`,
      ratio: rate / bareBulk,
    };
  };
  return [
    {
      name: 'attached wire: round trip',
      value: `${us('hooked').toFixed(1)} us`,
      beside: `bare veth ${us('nothing').toFixed(1)} us`,
      ratio: us('hooked') / us('nothing'),
    },
    addedTo('  added to a segment', 'hooked'),
    addedTo('  and with a look at the socket for each segment', 'looking'),
    addedTo('  added to a segment between two namespaces', 'paired'),
    addedTo('  and with a look at both sockets for each segment', 'paired, looking'),
    addedTo('  added to a segment between two namespaces by a process of its own', 'in a process'),
    await bulk('bulk', 'hooked'),
    await bulk('bulk between two namespaces', 'paired'),
    await bulk('bulk by a process of its own', 'in a process'),
  ];
}

const addressesOf = ({ pair }: BarePath) => ({ client: pair.ip('client'), server: pair.ip('server') });

const pairedWire: (path: BarePath, options: Pick<PairedWireOptions, 'eyes'>) => Promise<PairedWire> = (
  path,
  options,
) =>
  openPairedWire({
    ends: {
      client: { kind: 'namespace', namespace: path.pair.namespace('client') },
      server: { kind: 'namespace', namespace: path.pair.namespace('server') },
    },
    addresses: addressesOf(path),
    ...options,
  });

/** As it runs in a container beside those of others. */
function wireInProcess(path: BarePath): Promise<PairedWire> {
  const child = spawn(process.execPath, [MAIN, 'wire'], { stdio: 'pipe' });
  const ended = once(child, 'close').then(([code]) => ({ sentence: `it ended with code ${code}` }));
  const end = (side: 'client' | 'server') =>
    ({ kind: 'namespace', path: `/proc/${process.pid}/fd/${path.pair.namespace(side).fd}` }) as const;
  return openPairedWire({
    through: { kind: 'process', stdio: child, ended },
    ends: { client: end('client'), server: end('server') },
    addresses: addressesOf(path),
    eyes: 'none',
  });
}

async function hundredConnections(kind: 'looking' | 'paired, looking'): Promise<Figure[]> {
  await using path = new BarePath();
  await using wire = await PUT_IN[kind](path);
  const { client, server } = path;
  const through = kind === 'paired, looking' ? ' between two namespaces' : '';
  return [await crowd({ client, server, port: PORT, wire, through })];
}

const targetOf = ({ pair }: BarePath): Target => {
  const namespace = pair.namespace('server');
  return { text: 'a namespace', reach: { kind: 'here', namespace }, isAlive: () => true };
};

async function connect(path: BarePath): Promise<Ends> {
  const listener = await path.server.listen({ port: PORT });
  const client = await path.client.connect(listener.local);
  const server = await listener.accept();
  for (const end of [client, server]) await end.setOption('TCP_NODELAY', 1);
  return { client, server };
}
