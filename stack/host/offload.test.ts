/** Several segments in one packet, where the link cuts them apart. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { decode, Random } from '../../harness/segment/index.js';
import { cutPacket } from '../simulation/cut-packet.js';
import { VirtualClock } from '../simulation/virtual-clock.js';
import { TcpStack } from './tcp-stack.js';

const OFFLOAD_OCTETS = 65_535;
const LATENCY_NS = 1e6;
const MSS = 1448;
const SERVER = { ip: '198.18.0.2', port: 80 };

interface Sent {
  readonly octets: number;
  readonly segmentOctets: number;
}

class Path {
  readonly clock = new VirtualClock();
  /** Packets of the client's with data. */
  readonly sent: Sent[] = [];
  readonly client: TcpStack;
  readonly server: TcpStack;

  /** `isLost` is asked for each segment as it crosses. */
  constructor(isLost: (from: 'client' | 'server', index: number) => boolean = () => false) {
    const random = new Random(5);
    const randomBytes = (octets: number) => Uint8Array.from({ length: octets }, () => random.octet());
    let crossed = 0;
    const cross = (from: 'client' | 'server', packet: Uint8Array): void => {
      const index = crossed;
      crossed += 1;
      if (!isLost(from, index))
        this.clock.at(this.clock.now() + LATENCY_NS, () =>
          (from === 'client' ? this.server : this.client).input(packet),
        );
    };
    const common = { clock: this.clock, randomBytes };
    this.client = new TcpStack({
      ...common,
      addresses: ['198.18.0.1'],
      offloadOctets: OFFLOAD_OCTETS,
      packetMemory: new Uint8Array(OFFLOAD_OCTETS),
      output: (packet, segmentOctets) => {
        const decoded = decode(packet, { checksums: 'trust' });
        if (decoded.kind === 'segment' && decoded.segment.payload.length > 0)
          this.sent.push({ octets: decoded.segment.payload.length, segmentOctets });
        for (const piece of cutPacket(packet, segmentOctets)) cross('client', piece);
      },
    });
    this.server = new TcpStack({
      ...common,
      addresses: [SERVER.ip],
      output: (packet) => cross('server', packet),
    });
  }

  /** Carries data from the client to the server, to the end of both. What came. */
  carry(data: Uint8Array): Uint8Array {
    const listener = this.server.listen({ port: SERVER.port });
    const socket = this.client.connect(SERVER);
    let left = data;
    const write = (): void => {
      left = left.subarray(socket.send(left));
      if (left.length === 0) socket.close();
    };
    socket.onNotice = ({ kind }) => {
      if ((kind === 'established' || kind === 'writable') && left.length > 0) write();
    };
    const received: Uint8Array[] = [];
    listener.onConnection = () => {
      const accepted = listener.accept();
      if (accepted === undefined) return;
      accepted.onNotice = ({ kind }) => {
        if (kind === 'readable') received.push(accepted.receive(1 << 20));
        if (kind === 'end') accepted.close();
      };
    };
    this.clock.run();
    return Buffer.concat(received);
  }
}

const DATA = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 31 + (i >> 8));

describe('Packets of several segments', () => {
  it('hold whole segments, as many as the window lets go', () => {
    const path = new Path();
    ok(Buffer.from(path.carry(DATA)).equals(DATA));
    const large = path.sent.filter(({ segmentOctets }) => segmentOctets > 0);
    ok(large.every(({ octets, segmentOctets }) => segmentOctets === MSS && octets % MSS === 0));
    ok(path.sent.length < DATA.length / MSS / 2, `${path.sent.length} packets`);
    // RFC 6928: the first flight is ten segments.
    deepEqual(path.sent[0], { octets: 10 * MSS, segmentOctets: MSS });
  });

  it('leave nothing behind', () => {
    const path = new Path();
    path.carry(DATA);
    equal(path.client.socketCount + path.server.socketCount, 0);
  });

  for (const every of [7, 50, 100])
    it(`arrive whole when one segment in ${every} is lost, and only what was lost is sent again`, () => {
      let lost = 0;
      const random = new Random(every);
      const path = new Path((from) => {
        const isLost = from === 'client' && random.below(every) === 0;
        if (isLost) lost += 1;
        return isLost;
      });
      ok(Buffer.from(path.carry(DATA)).equals(DATA));
      const again = path.sent.reduce((sum, { octets }) => sum + octets, 0) - DATA.length;
      ok(lost > 20);
      ok(again < 1.1 * lost * MSS, `${lost} segments were lost, and ${again} octets sent again`);
    });
});
