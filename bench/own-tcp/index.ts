/**
 * Bulk data between the kernel of this machine and a TCP in a process: the project's own, and lwIP, over the same kind of device, in turns.
 * The own TCP is measured with packets of many segments, which the kernel hands over and takes, and without.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DeviceError, openHost } from '../../stack/device/index.js';
import { Namespace } from '../../stack/device/namespace.fixture.js';
import type { StackSocket } from '../../stack/net/index.js';
import type { Figure } from '../figure.js';
import { median } from '../statistics.js';
import { end, LwipProgram } from './lwip.js';

const ROUNDS = 5;
const OCTETS = 100_000_000;
const TARGET_MB_S = 100;
const WITHIN_MS = 60_000;
const PORT = 5000;
const KERNEL_IP = '198.18.253.1';
const OWN_IP = '198.18.253.2';
const PEER = fileURLToPath(new URL('./bulk-peer.js', import.meta.url));

type Direction = 'to the kernel' | 'from the kernel';
const DIRECTIONS = ['to the kernel', 'from the kernel'] as const;

/** One that transfers so much in a direction. The result is in megabytes a second. */
type Contender = (direction: Direction) => Promise<number>;

export async function ownTcp(): Promise<Figure[]> {
  try {
    await overTun(true)('to the kernel');
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return [{ name: `bulk beside lwIP: skipped, ${error.message}`, value: '' }];
  }
  const missing = LwipProgram.missing();
  using lwip = missing === undefined ? new LwipProgram() : undefined;
  const contenders: Contender[] = [overTun(true), overTun(false), overVeth];
  if (lwip !== undefined) contenders.push(withLwip(lwip));
  const figures: Figure[] = [];
  for (const direction of DIRECTIONS) {
    const [large = [], single = [], veth = [], beside] = await takeTurns(contenders, direction);
    const row = (name: string, values: readonly number[]): Figure => ({
      name,
      value: `${median(values).toFixed(0)} MB/s`,
      ...(beside === undefined
        ? {}
        : { beside: `lwIP ${median(beside).toFixed(0)} MB/s`, ratio: ratioOf(values, beside) }),
    });
    figures.push(
      { ...row(`own TCP, bulk ${direction} over TUN`, large), ...withTarget(large, beside) },
      row('  the same, each segment in a packet of its own', single),
      row('  the same over a veth', veth),
    );
  }
  if (missing !== undefined) figures.push({ name: `  beside lwIP: skipped, ${missing}`, value: '' });
  return figures;
}

const ratioOf = (values: readonly number[], beside: readonly number[]): number =>
  median(values.map((each, i) => each / (beside[i] ?? Number.NaN)));

/** As fast as lwIP, whatever else the machine does; where there is none, a rate. */
const withTarget = (
  values: readonly number[],
  beside: readonly number[] | undefined,
): Pick<Figure, 'target'> => ({
  target:
    beside === undefined
      ? { text: `>= ${TARGET_MB_S} MB/s`, isMet: median(values) >= TARGET_MB_S }
      : { text: '>= 1', isMet: ratioOf(values, beside) >= 1 },
});

async function takeTurns(contenders: readonly Contender[], direction: Direction): Promise<number[][]> {
  const rates: number[][] = contenders.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [i, contender] of contenders.entries()) rates[i]?.push(await contender(direction));
  return rates;
}

/** Of a process in the namespace that connects to the one who is measured. */
async function measurePeer(namespace: Namespace, direction: Direction): Promise<number> {
  const role = direction === 'to the kernel' ? 'receive' : 'send';
  const peer = namespace.run(() =>
    promisify(execFile)(process.execPath, [PEER, role, OWN_IP, String(PORT), String(OCTETS)], {
      timeout: WITHIN_MS,
    }),
  );
  const { stdout } = await peer;
  return OCTETS / (Number(stdout) / 1000);
}

function overTun(offload: boolean): Contender {
  return async (direction) => {
    using namespace = new Namespace();
    const open = () => openHost({ device: 'tun', name: 'own0', addresses: [OWN_IP], offload });
    await using host = namespace.run(open);
    namespace.ip(`addr add ${KERNEL_IP}/24 dev own0`);
    namespace.ip('link set dev own0 up');
    host.createServer((socket) => serve(socket, direction)).listen(PORT);
    return await measurePeer(namespace, direction);
  };
}

const overVeth: Contender = async (direction) => {
  using namespace = new Namespace();
  using place = new Namespace();
  namespace.link('eth0', place, 'eth0');
  namespace.ip(`addr add ${KERNEL_IP}/24 dev eth0`);
  const open = () => openHost({ device: 'veth', name: 'eth0', addresses: [`${OWN_IP}/24`] });
  await using host = place.run(open);
  host.createServer((socket) => serve(socket, direction)).listen(PORT);
  return await measurePeer(namespace, direction);
};

const CHUNK = Buffer.alloc(262_144);

function serve(socket: StackSocket, direction: Direction): void {
  if (direction === 'from the kernel') {
    socket.resume();
    return;
  }
  let left = OCTETS;
  const write = (): void => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', write);
        return;
      }
    }
    socket.end();
  };
  write();
}

function withLwip(lwip: LwipProgram): Contender {
  return async (direction) => {
    using namespace = new Namespace();
    const role = direction === 'to the kernel' ? 'source' : 'sink';
    const child = namespace.run(() =>
      lwip.start(['lwip0', OWN_IP, KERNEL_IP, role, String(PORT), String(OCTETS)]),
    );
    try {
      if (child.stdout !== null) await once(child.stdout, 'data');
      namespace.ip(`addr add ${KERNEL_IP}/24 dev lwip0`);
      namespace.ip('link set dev lwip0 up');
      return await measurePeer(namespace, direction);
    } finally {
      await end(child);
    }
  };
}
