/**
 * What is between two containers on a bridge, and what it costs: the wire beside a bare bridge, a rule of iptables and Toxiproxy. All are measured in
 * one run and take turns, so that whatever else the machine does falls on all of them.
 */
import { EngineError } from '../harness/docker/index.js';
import { AttachRefused, closeSharedEngine, sharedEngine } from '../harness/lab/index.js';
import { type ContainerPaths, CROWD_PORTS, openContainerPaths, WAYS, type Way } from './container-paths.js';
import type { Figure } from './figure.js';
import { crowd } from './hundred-connections.js';
import type { Ends } from './paths.js';
import { ping, takeTurns } from './round-trip.js';
import { median } from './statistics.js';
import { transfer } from './throughput.js';

const BULK_OCTETS = 4_000_000;
const BULK_ROUNDS = 5;
/** One there and one back. */
const SEGMENTS_OF_A_PING = 2;
const MOST_ADDED_US = 250;

const TEXT: Readonly<Record<Way, string>> = {
  bare: 'a bare bridge',
  rule: 'a rule of iptables',
  thread: 'the wire on a thread here',
  sidecar: 'the wire in a sidecar',
  toxiproxy: 'Toxiproxy without a toxic',
};
const OURS: ReadonlySet<Way> = new Set(['thread', 'sidecar']);

export async function betweenContainers(): Promise<Figure[]> {
  try {
    const { isLocal, text } = await sharedEngine();
    if (!isLocal || process.geteuid?.() !== 0) return notMeasured(`it takes root on the machine of ${text}`);
    await using paths = await openContainerPaths();
    return await measure(paths);
  } catch (error) {
    if (error instanceof EngineError || error instanceof AttachRefused) return notMeasured(error.message);
    throw error;
  } finally {
    await closeSharedEngine();
  }
}

function notMeasured(reason: string): Figure[] {
  process.stdout.write(`what is between containers was not measured: ${reason}\n`);
  return [];
}

async function measure(paths: ContainerPaths): Promise<Figure[]> {
  const ends: Ends[] = [];
  for (const way of WAYS) ends.push(await paths.connected(way));
  const roundTripUs = (await takeTurns(ends.map((each) => () => ping(each)))).map(median);
  const megabytes = await bulkInTurns(ends);
  const [bareUs = Number.NaN] = roundTripUs;
  const [bareBulk = Number.NaN] = megabytes;
  const figures = WAYS.flatMap((way, i) =>
    figuresOf(way, { us: roundTripUs[i] ?? Number.NaN, bareUs, bulk: megabytes[i] ?? Number.NaN, bareBulk }),
  );
  for (const place of ['thread', 'sidecar'] as const)
    figures.push(
      await crowd({
        ...{ client: paths.client, server: paths.servers[place], wire: paths.wires[place] },
        port: CROWD_PORTS[place],
        through: ` through ${TEXT[place]}`,
      }),
    );
  return figures;
}

/** Megabytes a second of each: the medians of rounds in which all take turns. */
async function bulkInTurns(all: readonly Ends[]): Promise<readonly number[]> {
  const rounds: number[][] = all.map(() => []);
  for (let round = 0; round < BULK_ROUNDS; round += 1)
    for (const [i, ends] of all.entries()) rounds[i]?.push(await transfer(ends, BULK_OCTETS));
  return rounds.map(median);
}

interface Measured {
  readonly us: number;
  readonly bareUs: number;
  readonly bulk: number;
  readonly bareBulk: number;
}

function figuresOf(way: Way, { us, bareUs, bulk, bareBulk }: Measured): Figure[] {
  const roundTrip = {
    name: `between two containers, ${TEXT[way]}: round trip`,
    value: `${us.toFixed(1)} us`,
  };
  const through = { name: `  bulk, ${BULK_OCTETS / 1e6} MB`, value: `${bulk.toFixed(1)} MB/s` };
  if (way === 'bare') return [roundTrip, through];
  const addedUs = (us - bareUs) / SEGMENTS_OF_A_PING;
  const target = { text: `<= ${MOST_ADDED_US} us`, isMet: addedUs <= MOST_ADDED_US };
  return [
    { ...roundTrip, beside: `bare bridge ${bareUs.toFixed(1)} us`, ratio: us / bareUs },
    {
      // A proxy acknowledges and sends anew: there are twice as many segments.
      name: way === 'toxiproxy' ? '  added each way' : '  added to a segment',
      value: `${addedUs.toFixed(1)} us`,
      ...(OURS.has(way) ? { target } : {}),
    },
    { ...through, beside: `bare bridge ${bareBulk.toFixed(1)} MB/s`, ratio: bulk / bareBulk },
  ];
}
