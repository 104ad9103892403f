/**
 * Frames of an Ethernet interface, through a packet socket of Linux (packet(7)). What comes is read from a ring that the kernel fills, without
 * a system call; what leaves is gathered and goes with one. A header before each frame says which checksums are still missing, so that
 * packets of many segments pass in one piece where both ends live on one machine.
 */
import koffi from 'koffi';
import { check, lastError, libc } from './libc.js';
import { MappedMemory } from './mapped-memory.js';
import { isTrusted, VIRTIO_HEADER_OCTETS } from './virtio-header.js';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_RX_RING = 5;
const PACKET_VERSION = 10;
const PACKET_VNET_HDR = 15;
const PACKET_QDISC_BYPASS = 20;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_PROMISC = 1;
const TPACKET_V2 = 1;
const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;
const ETH_P_ALL = 3;

/** `struct tpacket2_hdr` in 32-bit words. */
const STATUS = 0;
const SNAPLEN = 2;
const MAC_AND_NET = 3;
/** One of 64 kB packets with what stands before them, in whole pages. */
const SLOT_OCTETS = 69_632;
const SLOTS = 192;

const ETHERNET_OCTETS = 14;
/** Frames that wait for one call at most. */
const BATCH = 64;
/** `struct mmsghdr`: 56 octets of msghdr, the length sent, padding. */
const MMSGHDR_OCTETS = 64;
const IOVEC_OCTETS = 16;
const SEND_BUFFER_OCTETS = 8 << 20;
/** Frames taken before the event loop goes on: others are to be served, too. */
const MOST_AT_ONCE = 128;
/** Tries of a frame that the kernel has no buffer for, before it counts as lost. */
const MOST_TRIES = 100;

/** Called for each frame. The octets are the kernel's. */
export type OnFrame = (frame: Uint8Array, isTrusted: boolean) => void;

/** Where a frame may be written that leaves with the next call. */
export interface Slot {
  readonly octets: Uint8Array;
  readonly view: DataView;
  /** Of the virtio header, with the Ethernet header behind it. */
  readonly at: number;
}

export class PacketSocket implements Disposable {
  readonly #fd: number;
  readonly #onFrame: OnFrame;
  readonly #ring: MappedMemory;
  readonly #words: Int32Array;
  readonly #ringOctets: Uint8Array;
  readonly #out: MappedMemory;
  readonly #headers: Uint8Array;
  readonly #iovecs: DataView;
  readonly #slots: readonly Slot[];
  readonly #watch: ReturnType<typeof koffi.node.poll>;
  #next = 0;
  #waiting = 0;
  #isOpen = true;

  /** Of the interface with this index in the network namespace of the calling thread. `most`: octets of the largest packet that leaves. */
  constructor(index: number, most: number, onFrame: OnFrame) {
    this.#onFrame = onFrame;
    // Protocol 0: nothing comes in before the ring stands and bind names the protocol.
    this.#fd = check(libc.socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket(AF_PACKET)');
    try {
      this.#ring = this.#setUp(index);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#words = new Int32Array(this.#ring.buffer);
    this.#ringOctets = new Uint8Array(this.#ring.buffer);
    const slotOctets = (VIRTIO_HEADER_OCTETS + ETHERNET_OCTETS + most + 63) & ~63;
    const tables = BATCH * (MMSGHDR_OCTETS + IOVEC_OCTETS);
    this.#out = MappedMemory.anonymous(tables + BATCH * slotOctets);
    const iovecsAt = BATCH * MMSGHDR_OCTETS;
    this.#headers = new Uint8Array(this.#out.buffer, 0, iovecsAt);
    this.#iovecs = new DataView(this.#out.buffer, iovecsAt, BATCH * IOVEC_OCTETS);
    const headers = new DataView(this.#out.buffer, 0, iovecsAt);
    this.#slots = Array.from({ length: BATCH }, (_, i) => {
      const at = tables + i * slotOctets;
      headers.setBigUint64(
        i * MMSGHDR_OCTETS + 16,
        this.#out.address + BigInt(iovecsAt + i * IOVEC_OCTETS),
        true,
      );
      headers.setBigUint64(i * MMSGHDR_OCTETS + 24, 1n, true);
      this.#iovecs.setBigUint64(i * IOVEC_OCTETS, this.#out.address + BigInt(at), true);
      const octets = new Uint8Array(this.#out.buffer, at, slotOctets);
      return { octets, view: new DataView(this.#out.buffer, at, slotOctets), at: 0 };
    });
    this.#watch = koffi.node.poll(this.#fd, { readable: true }, () => this.poll());
    this.#watch.unref();
  }

  #setUp(index: number): MappedMemory {
    const set = (level: number, name: number, what: string, ...values: readonly number[]): void => {
      const octets = new Uint8Array(Int32Array.from(values).buffer);
      check(libc.setsockopt(this.#fd, level, name, octets, octets.length), `setsockopt(${what})`);
    };
    set(SOL_PACKET, PACKET_VERSION, 'PACKET_VERSION', TPACKET_V2);
    set(SOL_PACKET, PACKET_VNET_HDR, 'PACKET_VNET_HDR', 1);
    set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 'PACKET_IGNORE_OUTGOING', 1);
    set(SOL_PACKET, PACKET_QDISC_BYPASS, 'PACKET_QDISC_BYPASS', 1);
    // Frames to an address of the stack's own are not the interface's.
    set(SOL_PACKET, PACKET_ADD_MEMBERSHIP, 'PACKET_ADD_MEMBERSHIP', index, PACKET_MR_PROMISC, 0, 0);
    set(SOL_PACKET, PACKET_RX_RING, 'PACKET_RX_RING', SLOT_OCTETS, SLOTS, SLOT_OCTETS, SLOTS);
    const more = new Uint8Array(Int32Array.of(SEND_BUFFER_OCTETS).buffer);
    // Not everybody may; with less, more of what leaves at once is lost.
    libc.setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, more, more.length);
    const ring = MappedMemory.of(this.#fd, SLOT_OCTETS * SLOTS);
    const address = new Uint8Array(20);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ETH_P_ALL);
    view.setInt32(4, index, true);
    if (libc.bind(this.#fd, address, address.length) < 0) {
      ring[Symbol.dispose]();
      check(-1, `bind(AF_PACKET) to interface ${index}`);
    }
    return ring;
  }

  /** Hands over the frames that are there. */
  poll(): void {
    const words = this.#words;
    for (let taken = 0; taken < MOST_AT_ONCE && this.#isOpen; taken += 1) {
      const slotAt = this.#next * SLOT_OCTETS;
      const slot = slotAt / 4;
      if ((Atomics.load(words, slot + STATUS) & TP_STATUS_USER) === 0) return;
      const macAt = slotAt + ((words[slot + MAC_AND_NET] ?? 0) & 0xffff);
      const octets = words[slot + SNAPLEN] ?? 0;
      const flags = this.#ringOctets[macAt - VIRTIO_HEADER_OCTETS] ?? 0;
      this.#onFrame(this.#ringOctets.subarray(macAt, macAt + octets), isTrusted(flags));
      // Within the call the ring may have been given back.
      if (!this.#isOpen) return;
      Atomics.store(words, slot + STATUS, TP_STATUS_KERNEL);
      this.#next = this.#next + 1 === SLOTS ? 0 : this.#next + 1;
    }
  }

  /** A place for the next frame; undefined once the socket is closed. `commit` must follow before anything else. */
  slot(): Slot | undefined {
    return this.#isOpen ? this.#slots[this.#waiting] : undefined;
  }

  /** The frame in the slot is so long, Ethernet header included. */
  commit(frameOctets: number): void {
    const octets = VIRTIO_HEADER_OCTETS + frameOctets;
    this.#iovecs.setUint32(this.#waiting * IOVEC_OCTETS + 8, octets, true);
    this.#waiting += 1;
    if (this.#waiting === BATCH) this.flush();
    else if (this.#waiting === 1) queueMicrotask(() => this.flush());
  }

  flush(): void {
    if (!this.#isOpen) return;
    for (let sent = 0, tries = 0; sent < this.#waiting; ) {
      const part = sent === 0 ? this.#headers : this.#headers.subarray(sent * MMSGHDR_OCTETS);
      const taken = libc.sendmmsg(this.#fd, part, this.#waiting - sent, 0);
      if (taken > 0) {
        sent += taken;
        tries = 0;
        continue;
      }
      tries += 1;
      if (tries < MOST_TRIES && isWorthAnother(lastError())) continue;
      // Lost, as on any link; those behind it go on.
      sent += 1;
      tries = 0;
    }
    this.#waiting = 0;
  }

  ref(): void {
    this.#watch.ref();
  }

  unref(): void {
    this.#watch.unref();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.flush();
    this.#isOpen = false;
    this.#watch.close();
    libc.close(this.#fd);
    this.#ring[Symbol.dispose]();
    this.#out[Symbol.dispose]();
  }
}

const isWorthAnother = (code: string): boolean => code === 'EAGAIN' || code === 'EINTR' || code === 'ENOBUFS';
