/** One host, and a test at the other end of its wire: segments in, segments out. */
import {
  decode,
  encode,
  makeSegment,
  type Segment,
  type SegmentInit,
  seqNumber,
} from '../../harness/segment/index.js';
import { VirtualClock } from '../simulation/virtual-clock.js';
import type { StateChange, TcpStackOptions } from './stack-options.js';
import { TcpStack } from './tcp-stack.js';

export const HOST = '192.0.2.1';
export const HOST_V6 = '2001:db8::1';
export const PEER = '192.0.2.2';
export const PORT = 80;

export class OneHost {
  readonly clock = new VirtualClock();
  readonly stack: TcpStack;
  readonly changes: StateChange[] = [];
  #out: Segment[] = [];

  constructor(options: Partial<TcpStackOptions> = {}) {
    let octet = 7;
    this.stack = new TcpStack({
      clock: this.clock,
      randomBytes: (octets) =>
        Uint8Array.from({ length: octets }, () => {
          octet = (octet * 31 + 17) & 0xff;
          return octet;
        }),
      addresses: [HOST, HOST_V6],
      output: (packet) => {
        const decoded = decode(packet);
        if (decoded.kind !== 'segment' || !decoded.checksumOk.tcp || !decoded.checksumOk.ip)
          throw new Error('what left is no sound segment');
        this.#out.push(decoded.segment);
      },
      observe: (change) => this.changes.push(change),
      ...options,
    });
  }

  /** What left since it was asked last. */
  sent(): readonly Segment[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** A segment arrives from the peer's port 40000, to port 80. */
  recv(init: SegmentInit): readonly Segment[] {
    this.stack.input(encode(makeSegment({ src: PEER, dst: HOST, srcPort: 40_000, dstPort: PORT, ...init })));
    return this.sent();
  }

  /** A packet of another protocol arrives. */
  input(packet: Uint8Array): readonly Segment[] {
    this.stack.input(packet);
    return this.sent();
  }

  wait(ms: number): readonly Segment[] {
    this.clock.run(this.clock.now() + ms * 1e6);
    return this.sent();
  }

  /** The peer opens, from this port. Returns the SYN,ACK's number. */
  opened(srcPort = 40_000, seq = 1000): number {
    const [synAck] = this.recv({ srcPort, seq, flags: 'SYN', options: [{ kind: 'mss', mss: 1000 }] });
    if (synAck === undefined) throw new Error('the SYN was not answered');
    this.recv({ srcPort, seq: seq + 1, ack: synAck.seq + 1 });
    return synAck.seq;
  }
}

export const next = (seq: number, by = 1): number => seqNumber(seq + by);

/** An ICMP message about a segment that this host has sent, in an IPv4 packet from the peer. */
export function icmpPacket(type: number, code: number, about: Segment, rest = 0): Uint8Array {
  const quote = encode(about).subarray(0, 28);
  const message = new Uint8Array(8 + quote.length);
  const view = new DataView(message.buffer);
  message[0] = type;
  message[1] = code;
  view.setUint16(6, rest);
  message.set(quote, 8);
  const packet = new Uint8Array(20 + message.length);
  const header = new DataView(packet.buffer);
  packet.set([0x45, 0, 0, packet.length, 0, 0, 0, 0, 64, 1]);
  packet.set([192, 0, 2, 2, 192, 0, 2, 1], 12);
  header.setUint16(10, checksum(packet.subarray(0, 20)));
  packet.set(message, 20);
  return packet;
}

function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += ((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
