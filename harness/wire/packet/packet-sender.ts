/**
 * Sends IP packets out of the links of a network namespace: they are gathered and go with one sendmmsg(2), each naming
 * its link. The kernel makes the Ethernet header; the queueing discipline is passed by.
 */
import {
  AF_PACKET,
  check,
  checkAgain,
  libc,
  MappedMemory,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SysError,
} from '../../sys/index.js';
import { ETH_P_IP, ETH_P_IPV6, htons, PACKET_QDISC_BYPASS, SOL_PACKET } from './if-packet.js';

/** Packets that wait for one call at most. */
const BATCH = 32;
const PACKET_OCTETS = 65_536;
/** `struct mmsghdr` (56 octets of msghdr, the length sent, padding), `struct iovec`, `struct sockaddr_ll` (padded). */
const HEADER_OCTETS = 64;
const IOVEC_OCTETS = 16;
const ADDRESS_OCTETS = 32;
const SOCKADDR_LL_OCTETS = 20;
/** Tries of a packet that the kernel has no buffer for, before it counts as lost. */
const MOST_TRIES = 1000;

/** A packet could not be handed to its link. */
export type OnSendFailure = (ifindex: number, error: SysError) => void;

export class PacketSender {
  readonly #fd: number;
  readonly #headers: Uint8Array;
  readonly #iovecs: DataView;
  readonly #addresses: DataView;
  readonly #packets: Uint8Array;
  readonly #ifindexes = new Int32Array(BATCH);
  readonly #onFailure: OnSendFailure;
  #waiting = 0;

  /** For the namespace that the calling thread is in. `mac` is the address of every link's other end. */
  constructor(mac: Uint8Array, onFailure: OnSendFailure) {
    this.#onFailure = onFailure;
    this.#fd = check(
      libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
      'socket(AF_PACKET)',
    );
    const one = Uint8Array.of(1, 0, 0, 0);
    check(
      libc.setsockopt(this.#fd, SOL_PACKET, PACKET_QDISC_BYPASS, one, one.length),
      'setsockopt(PACKET_QDISC_BYPASS)',
    );
    const tableOctets = BATCH * (HEADER_OCTETS + IOVEC_OCTETS + ADDRESS_OCTETS);
    const memory = MappedMemory.anonymous(tableOctets + BATCH * PACKET_OCTETS);
    const iovecsAt = BATCH * HEADER_OCTETS;
    const addressesAt = iovecsAt + BATCH * IOVEC_OCTETS;
    this.#headers = new Uint8Array(memory.buffer, 0, iovecsAt);
    this.#iovecs = new DataView(memory.buffer, iovecsAt, BATCH * IOVEC_OCTETS);
    this.#addresses = new DataView(memory.buffer, addressesAt, BATCH * ADDRESS_OCTETS);
    this.#packets = new Uint8Array(memory.buffer, tableOctets);
    const headers = new DataView(memory.buffer, 0, iovecsAt);
    for (let i = 0; i < BATCH; i += 1) {
      const address = addressesAt + i * ADDRESS_OCTETS;
      const iovec = iovecsAt + i * IOVEC_OCTETS;
      headers.setBigUint64(i * HEADER_OCTETS, memory.address + BigInt(address), true);
      headers.setUint32(i * HEADER_OCTETS + 8, SOCKADDR_LL_OCTETS, true);
      headers.setBigUint64(i * HEADER_OCTETS + 16, memory.address + BigInt(iovec), true);
      headers.setBigUint64(i * HEADER_OCTETS + 24, 1n, true);
      const packet = BigInt(tableOctets + i * PACKET_OCTETS);
      this.#iovecs.setBigUint64(i * IOVEC_OCTETS, memory.address + packet, true);
      this.#addresses.setUint16(i * ADDRESS_OCTETS, AF_PACKET, true);
      this.#addresses.setUint8(i * ADDRESS_OCTETS + 11, mac.length);
      new Uint8Array(memory.buffer, address + 12, mac.length).set(mac);
    }
  }

  /** Takes a packet along with the next `flush`, which happens by itself when enough have gathered. */
  send(ifindex: number, packet: Uint8Array): void {
    if (packet.length > PACKET_OCTETS || packet.length === 0) {
      this.#onFailure(ifindex, new SysError('EMSGSIZE', `send of ${packet.length} octets`));
      return;
    }
    const at = this.#waiting;
    this.#packets.set(packet, at * PACKET_OCTETS);
    this.#iovecs.setUint32(at * IOVEC_OCTETS + 8, packet.length, true);
    const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
    const protocol = htons(isVersion6 ? ETH_P_IPV6 : ETH_P_IP);
    this.#addresses.setUint16(at * ADDRESS_OCTETS + 2, protocol, true);
    this.#addresses.setInt32(at * ADDRESS_OCTETS + 4, ifindex, true);
    this.#ifindexes[at] = ifindex;
    this.#waiting += 1;
    if (this.#waiting === BATCH) this.flush();
  }

  /** Hands over all that has gathered. */
  flush(): void {
    for (let sent = 0, tries = 0; sent < this.#waiting; ) {
      const part = sent === 0 ? this.#headers : this.#headers.subarray(sent * HEADER_OCTETS);
      try {
        const taken = checkAgain(
          libc.sendmmsg(this.#fd, part, this.#waiting - sent, 0),
          'sendmmsg(AF_PACKET)',
        );
        sent += taken ?? 0;
        tries = taken === undefined ? tries + 1 : 0;
        if (tries < MOST_TRIES) continue;
        this.#fail(sent, new SysError('ENOBUFS', `sendmmsg(AF_PACKET), ${MOST_TRIES} times`));
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        this.#fail(sent, error);
      }
      // The packet that could not go is passed over; those behind it go on.
      sent += 1;
      tries = 0;
    }
    this.#waiting = 0;
  }

  #fail(at: number, error: SysError): void {
    this.#onFailure(this.#ifindexes[at] ?? 0, error);
  }
}
