/** The messages of the kernel's packet queue (uapi/linux/netfilter/nfnetlink_queue.h) from and to octets. Pure. */
import { attribute, concatBytes, type NetlinkRequest, NLM_F_ACK } from '../../sys/index.js';

const NFNL_SUBSYS_QUEUE = 3;
const NFQNL_MSG_PACKET = (NFNL_SUBSYS_QUEUE << 8) | 0;
const NFQNL_MSG_VERDICT = (NFNL_SUBSYS_QUEUE << 8) | 1;
const NFQNL_MSG_CONFIG = (NFNL_SUBSYS_QUEUE << 8) | 2;
const NFQA_CFG_CMD = 1;
const NFQA_CFG_PARAMS = 2;
const NFQA_CFG_QUEUE_MAXLEN = 3;
const NFQA_CFG_MASK = 4;
const NFQA_CFG_FLAGS = 5;
const NFQNL_CFG_CMD_BIND = 1;
const NFQNL_COPY_PACKET = 2;
/** The kernel lets pass what finds no room in the queue, rather than drop it. */
const NFQA_CFG_F_FAIL_OPEN = 1;
/**
 * Never set: without it the kernel cuts what is larger than a packet of the network (TSO, GRO) into segments before it queues them, and
 * computes checksums that were left to a network card.
 */
const NFQA_CFG_F_GSO = 4;
const NFQA_PACKET_HDR = 1;
const NFQA_VERDICT_HDR = 2;
const NFQA_TIMESTAMP = 4;
const NFQA_IFINDEX_INDEV = 5;
const NFQA_PAYLOAD = 10;
const NFQA_CAP_LEN = 13;
const MOST_OCTETS = 0xffff;
const HEADER_OCTETS = 16;
/** `struct nfgenmsg` */
const GENERIC_OCTETS = 4;
const NLMSG_ERROR = 2;

/** include/uapi/linux/netfilter.h */
const NF_INET_LOCAL_OUT = 3;
export const VERDICT = { drop: 0, accept: 1 } as const;
export type QueueVerdict = keyof typeof VERDICT;

/** The interface index of the loopback, in every network namespace. */
const LOOPBACK = 1;

/** A packet that the kernel keeps until its verdict. */
export interface QueuedPacket {
  readonly id: number;
  readonly hook: 'output' | 'input';
  readonly isLoopback: boolean;
  /** The IP packet: the buffer's own octets, to be copied by who keeps them. */
  readonly packet: Uint8Array;
  /** False: a message has no room for all of it (65531 octets, which segments of a loopback exceed by 4), and what lacks reads as zeros. */
  readonly isWhole: boolean;
  /** When it came off the network, where the kernel says so. */
  readonly stamp?: { readonly unixSec: number; readonly nsec: number };
}

export type QueueMessage =
  | { readonly kind: 'packet'; readonly packet: QueuedPacket }
  /** A verdict was refused: an errno. */
  | { readonly kind: 'error'; readonly errno: number };

const u8 = (...octets: readonly number[]): Uint8Array => Uint8Array.from(octets);

function be32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return octets;
}

/** `struct nfgenmsg`: family, version, and the number of the queue. */
const generic = (queue: number): Uint8Array => u8(0, 0, queue >> 8, queue & 0xff);

function config(queue: number, what: string, ...attributes: readonly Uint8Array[]): NetlinkRequest {
  return {
    type: NFQNL_MSG_CONFIG,
    flags: NLM_F_ACK,
    body: concatBytes(generic(queue), ...attributes),
    what: `NFQUEUE ${what}`,
  };
}

/** What makes a queue ours and sets it up, one after the other. */
export function openRequests(queue: number, mostPackets: number): readonly NetlinkRequest[] {
  return [
    config(queue, 'bind', attribute(NFQA_CFG_CMD, u8(NFQNL_CFG_CMD_BIND, 0, 0, 0))),
    config(
      queue,
      'parameters',
      attribute(NFQA_CFG_PARAMS, concatBytes(be32(MOST_OCTETS), u8(NFQNL_COPY_PACKET))),
      attribute(NFQA_CFG_QUEUE_MAXLEN, be32(mostPackets)),
    ),
    config(
      queue,
      'flags',
      attribute(NFQA_CFG_MASK, be32(NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO)),
      attribute(NFQA_CFG_FLAGS, be32(NFQA_CFG_F_FAIL_OPEN)),
    ),
  ];
}

/** Reads one datagram of a queue's socket; nothing for messages of other kinds. */
export function readQueueMessage(bytes: Uint8Array): QueueMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.min(bytes.length, view.getUint32(0, true));
  const type = view.getUint16(4, true);
  if (type === NLMSG_ERROR) return { kind: 'error', errno: -view.getInt32(HEADER_OCTETS, true) };
  if (type !== NFQNL_MSG_PACKET) return undefined;
  let id: number | undefined;
  let hook: QueuedPacket['hook'] = 'input';
  let isLoopback = false;
  let packet: Uint8Array | undefined;
  let wholeOctets = 0;
  let stamp: QueuedPacket['stamp'];
  for (let at = HEADER_OCTETS + GENERIC_OCTETS; at + 4 <= end; ) {
    const octets = view.getUint16(at, true);
    if (octets < 4) break;
    const data = at + 4;
    switch (view.getUint16(at + 2, true) & 0x3fff) {
      case NFQA_PACKET_HDR:
        id = view.getUint32(data);
        hook = view.getUint8(data + 6) === NF_INET_LOCAL_OUT ? 'output' : 'input';
        break;
      case NFQA_IFINDEX_INDEV:
        isLoopback = view.getUint32(data) === LOOPBACK;
        break;
      case NFQA_TIMESTAMP:
        stamp = {
          unixSec: Number(view.getBigUint64(data)),
          nsec: Number(view.getBigUint64(data + 8)) * 1000,
        };
        break;
      case NFQA_PAYLOAD:
        packet = bytes.subarray(data, at + octets);
        break;
      case NFQA_CAP_LEN:
        wholeOctets = view.getUint32(data);
        break;
    }
    at += (octets + 3) & ~3;
  }
  if (id === undefined || packet === undefined) return undefined;
  const isWhole = packet.length >= wholeOctets;
  const common = { id, hook, isLoopback, isWhole, ...(stamp === undefined ? {} : { stamp }) };
  return { kind: 'packet', packet: { ...common, packet: isWhole ? packet : padded(packet, wholeOctets) } };
}

function padded(packet: Uint8Array, octets: number): Uint8Array {
  const whole = new Uint8Array(octets);
  whole.set(packet);
  return whole;
}

/** The verdict on a packet, to be sent as it is; with a `packet` that takes the place of the kernel's. */
export function verdictMessage(options: {
  readonly queue: number;
  readonly id: number;
  readonly verdict: QueueVerdict;
  readonly packet?: Uint8Array;
}): Uint8Array {
  const { queue, id, verdict, packet } = options;
  const payload = packet === undefined ? 0 : 4 + ((packet.length + 3) & ~3);
  const bytes = new Uint8Array(HEADER_OCTETS + GENERIC_OCTETS + 12 + payload);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, NFQNL_MSG_VERDICT, true);
  view.setUint16(6, 1, true);
  view.setUint16(HEADER_OCTETS + 2, queue);
  view.setUint16(20, 12, true);
  view.setUint16(22, NFQA_VERDICT_HDR, true);
  view.setUint32(24, VERDICT[verdict]);
  view.setUint32(28, id);
  if (packet !== undefined) {
    view.setUint16(32, 4 + packet.length, true);
    view.setUint16(34, NFQA_PAYLOAD, true);
    bytes.set(packet, 36);
  }
  return bytes;
}
