/**
 * Receives the packets of all links of a network namespace through one AF_PACKET socket and a ring that the kernel
 * fills (PACKET_RX_RING, TPACKET_V2): no system call for each packet, the kernel's stamp beside it, one order across all
 * links, and room for thousands of packets that no `net.core.rmem_max` limits, which an ordinary user could not raise.
 */
import {
  AF_PACKET,
  check,
  libc,
  MappedMemory,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '../../sys/index.js';
import {
  ETH_P_ALL,
  ETH_P_IP,
  ETH_P_IPV6,
  htons,
  PACKET_IGNORE_OUTGOING,
  PACKET_RX_RING,
  PACKET_STATISTICS,
  PACKET_VERSION,
  SO_TIMESTAMPNS,
  SOL_PACKET,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TPACKET_V2,
} from './if-packet.js';

/** `struct tpacket2_hdr` in 32-bit words, with the `struct sockaddr_ll` behind it. */
const STATUS = 0;
const SNAPLEN = 2;
const MAC_AND_NET = 3;
const SEC = 4;
const NSEC = 5;
const SLL_FAMILY_AND_PROTOCOL = 8;
const SLL_IFINDEX = 9;
const PAGE_OCTETS = 4096;

export interface RingSize {
  /** Of one slot; a packet may be `SLOT_OVERHEAD_OCTETS` shorter at most. A multiple of 16. */
  readonly slotOctets: number;
  readonly slots: number;
}

/** TPACKET2_HDRLEN and 16 octets of room, aligned: what a slot holds before the packet. */
export const SLOT_OVERHEAD_OCTETS = 80;

/** Called for each packet. The octets are the kernel's: copy what must outlive the call. */
export type OnPacket = (ifindex: number, packet: Uint8Array, unixSec: number, nsec: number) => void;

export class PacketRing {
  readonly #words: Int32Array;
  readonly #octets: Uint8Array;
  readonly #wordsPerSlot: number;
  readonly #slots: number;
  readonly #statistics = new Uint8Array(8);
  readonly #statisticsSize = Uint8Array.of(8, 0, 0, 0);
  #next = 0;

  private constructor(
    readonly fd: number,
    size: RingSize,
    memory: MappedMemory,
  ) {
    this.#words = new Int32Array(memory.buffer);
    this.#octets = new Uint8Array(memory.buffer);
    this.#wordsPerSlot = size.slotOctets / 4;
    this.#slots = size.slots;
  }

  /** For the namespace that the calling thread is in. */
  static open(size: RingSize): PacketRing {
    // Protocol 0: nothing comes in before the ring stands and bind names the protocol.
    const fd = check(
      libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
      'socket(AF_PACKET)',
    );
    const set = (level: number, name: number, what: string, ...values: readonly number[]) => {
      const octets = new Uint8Array(Int32Array.from(values).buffer);
      check(libc.setsockopt(fd, level, name, octets, octets.length), `setsockopt(${what})`);
    };
    set(SOL_PACKET, PACKET_VERSION, 'PACKET_VERSION', TPACKET_V2);
    set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 'PACKET_IGNORE_OUTGOING', 1);
    // Makes the kernel stamp packets as they come off the link rather than as they are copied into the ring.
    set(SOL_SOCKET, SO_TIMESTAMPNS, 'SO_TIMESTAMPNS', 1);
    const blockOctets = Math.max(size.slotOctets, PAGE_OCTETS);
    const blocks = (size.slots * size.slotOctets) / blockOctets;
    set(SOL_PACKET, PACKET_RX_RING, 'PACKET_RX_RING', blockOctets, blocks, size.slotOctets, size.slots);
    const ring = new PacketRing(fd, size, MappedMemory.of(fd, blocks * blockOctets));
    const address = new Uint8Array(20);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ETH_P_ALL);
    check(libc.bind(fd, address, address.length), 'bind(AF_PACKET)');
    return ring;
  }

  /** Within `onPacket`: whether another packet waits behind that one. */
  get hasMore(): boolean {
    return (Atomics.load(this.#words, this.#after(this.#next) * this.#wordsPerSlot) & TP_STATUS_USER) !== 0;
  }

  /** Hands over the IP packets that are there, at most `most`, in order of arrival. The number of slots emptied. */
  drain(most: number, onPacket: OnPacket): number {
    const words = this.#words;
    let taken = 0;
    for (; taken < most; taken += 1) {
      const slot = this.#next * this.#wordsPerSlot;
      if ((Atomics.load(words, slot + STATUS) & TP_STATUS_USER) === 0) break;
      const word = (at: number): number => words[slot + at] ?? 0;
      const protocol = htons(word(SLL_FAMILY_AND_PROTOCOL) >>> 16);
      if (protocol === ETH_P_IP || protocol === ETH_P_IPV6) {
        const start = slot * 4 + (word(MAC_AND_NET) >>> 16);
        const packet = this.#octets.subarray(start, start + word(SNAPLEN));
        onPacket(word(SLL_IFINDEX), packet, word(SEC) >>> 0, word(NSEC) >>> 0);
      }
      Atomics.store(words, slot + STATUS, TP_STATUS_KERNEL);
      this.#next = this.#after(this.#next);
    }
    return taken;
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1;
  }

  /** Packets that found no room in the ring since the last call. */
  takeDrops(): number {
    check(
      libc.getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, this.#statistics, this.#statisticsSize),
      'getsockopt(PACKET_STATISTICS)',
    );
    return new DataView(this.#statistics.buffer).getUint32(4, true);
  }
}
