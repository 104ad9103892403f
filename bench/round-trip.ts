/**
 * One octet there and back: through the wire, and over a bare veth between two namespaces. The three take turns, some
 * milliseconds each, so that whatever else the machine does falls on all of them.
 */
import {
  AF_INET,
  check,
  decodeSockaddr,
  encodeSockaddr,
  IPPROTO_TCP,
  libc,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../harness/sys/index.js';
import { keepAwake } from './awake.js';
import type { Figure } from './figure.js';
import { BarePath, connect, connectLab, type Ends, openWire, type Path } from './paths.js';
import { median, NANOS_PER_US, nowNs } from './statistics.js';

const ROUNDS = 40;
const WARM_UP_ROUNDS = 10;
const PINGS = 150;
const MOST_RATIO = 1.8;
const TCP_NODELAY = 1;

/** As the machine is, and again with processors that do not sleep: the difference is the machine's and not the wire's. */
export async function roundTrip(): Promise<Figure[]> {
  const figures = await measure();
  const awake = keepAwake();
  if (awake === undefined) return figures;
  using _ = awake;
  const [first] = await measure();
  if (first === undefined) return figures;
  const { target: _judgedAbove, ...figure } = first;
  return [...figures, { ...figure, name: '  the first of these, with processors kept awake' }];
}

async function measure(): Promise<Figure[]> {
  const bare = new BarePath();
  const [wire, looking] = [await openWire(false), await openWire(true)];
  try {
    const loops = [
      await connect(bare.client, bare.server),
      await connectLab(wire),
      await connectLab(looking),
    ];
    const [bareUs, wireUs, lookingUs] = await takeTurns(loops.map((ends) => () => ping(ends)));
    const raw = [rawEnds(bare.pair), rawEnds(wire)];
    const [rawBareUs, rawWireUs] = await takeTurns(raw.map((ends) => () => rawPing(ends)));
    const ratio = ratioOf(wireUs, bareUs);
    return [
      {
        name: 'round trip, sockets on the event loop',
        value: us(wireUs),
        beside: `bare veth ${us(bareUs)}`,
        ratio,
        target: { text: `<= ${MOST_RATIO}`, isMet: ratio <= MOST_RATIO },
      },
      {
        name: '  and with a look at both ends for each segment',
        value: us(lookingUs),
        beside: `bare veth ${us(bareUs)}`,
        ratio: ratioOf(lookingUs, bareUs),
      },
      {
        name: '  and with blocking sockets that share one thread',
        value: us(rawWireUs),
        beside: `bare veth ${us(rawBareUs)}`,
        ratio: ratioOf(rawWireUs, rawBareUs),
      },
    ];
  } finally {
    await bare[Symbol.asyncDispose]();
    for (const lab of [wire, looking]) await lab[Symbol.asyncDispose]();
  }
}

/** The medians of each one's rounds. */
export async function takeTurns(pings: readonly (() => Promise<number> | number)[]): Promise<number[][]> {
  const rounds: number[][] = pings.map(() => []);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const [i, each] of pings.entries()) {
      const value = await each();
      if (round >= 0) rounds[i]?.push(value);
    }
  }
  return rounds;
}

/** The median of the ratios of rounds that were neighbours. */
export const ratioOf = (values: readonly number[] = [], beside: readonly number[] = []): number =>
  median(values.map((value, i) => value / (beside[i] ?? Number.NaN)));

const us = (values: readonly number[] = []): string => `${median(values).toFixed(1)} us`;

export async function ping({ client, server }: Ends): Promise<number> {
  const octet = new Uint8Array(1);
  const times: number[] = [];
  for (let i = 0; i < PINGS; i += 1) {
    const beginNs = nowNs();
    const there = server.receive();
    await client.send(octet);
    await there;
    const back = client.receive();
    await server.send(octet);
    await back;
    times.push((nowNs() - beginNs) / NANOS_PER_US);
  }
  return median(times);
}

interface RawEnds {
  readonly client: number;
  readonly server: number;
}

function rawEnds(path: Path): RawEnds {
  const open = (side: 'client' | 'server') =>
    path.namespace(side).run(() => check(libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket'));
  const [listener, client] = [open('server'), open('client')];
  const any = encodeSockaddr({ ip: path.ip('server'), port: 0 });
  check(libc.bind(listener, any, any.length), 'bind');
  check(libc.listen(listener, 1), 'listen');
  const bound = new Uint8Array(any.length);
  check(libc.getsockname(listener, bound, Uint8Array.of(bound.length, 0, 0, 0)), 'getsockname');
  const address = encodeSockaddr(decodeSockaddr(bound));
  check(libc.connect(client, address, address.length), 'connect');
  const server = check(libc.accept4(listener, null, null, SOCK_CLOEXEC), 'accept');
  libc.close(listener);
  for (const fd of [client, server])
    check(libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, Uint8Array.of(1, 0, 0, 0), 4), 'setsockopt');
  return { client, server };
}

function rawPing({ client, server }: RawEnds): number {
  const octet = new Uint8Array(1);
  const times: number[] = [];
  for (let i = 0; i < PINGS; i += 1) {
    const beginNs = nowNs();
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      check(libc.send(from, octet, 1, MSG_NOSIGNAL), 'send');
      check(libc.recv(to, octet, 1, 0), 'recv');
    }
    times.push((nowNs() - beginNs) / NANOS_PER_US);
  }
  return median(times);
}
