/** The ways in and out of the namespaces with the links' far ends, by the size of packets that they have room for. */
import { NetworkNamespace } from '../../../sys/index.js';
import {
  type OnPacket,
  type OnSendFailure,
  PacketRing,
  PacketSender,
  type RingSize,
  SLOT_OVERHEAD_OCTETS,
} from '../../../wire/index.js';

/** Links of a usual MTU share a ring of 32 MiB; larger packets have one with fewer, larger slots (34 MiB). */
const RINGS: readonly RingSize[] = [
  { slotOctets: 2048, slots: 16_384 },
  { slotOctets: 69_632, slots: 512 },
];
export const PORT_COUNT = RINGS.length;
/** The largest of veth (ETH_MAX_MTU). */
export const LARGEST_MTU = 65_535;

/** Which of the ports a link of this MTU belongs to. */
export const portFor = (mtu: number): number =>
  RINGS.findIndex(({ slotOctets }) => mtu <= slotOctets - SLOT_OVERHEAD_OCTETS);

export class PacketPort {
  readonly #sender: PacketSender;

  constructor(
    readonly ring: PacketRing,
    sender: PacketSender,
  ) {
    this.#sender = sender;
  }

  /**
   * Sends at once when nothing else waits, so that the receiver works while we do the books; otherwise along with what
   * follows, at the next `flush`.
   */
  send(ifindex: number, packet: Uint8Array): void {
    this.#sender.send(ifindex, packet);
    if (!this.ring.hasMore) this.#sender.flush();
  }

  flush(): void {
    this.#sender.flush();
  }
}

export interface PacketPortsOptions {
  /** A namespace for each port. */
  readonly namespaceFds: readonly number[];
  readonly mac: Uint8Array;
  readonly onSendFailure: OnSendFailure;
}

export class PacketPorts {
  readonly #options: PacketPortsOptions;
  readonly #ports: PacketPort[] = [];
  readonly #byNumber = new Map<number, PacketPort>();

  constructor(options: PacketPortsOptions) {
    this.#options = options;
  }

  get rings(): readonly PacketRing[] {
    return this.#ports.map(({ ring }) => ring);
  }

  /** The port that links of this MTU need, opened if it was not. */
  portFor(mtu: number): PacketPort {
    const number = portFor(mtu);
    const known = this.#byNumber.get(number);
    if (known !== undefined) return known;
    const size = RINGS[number];
    const namespaceFd = this.#options.namespaceFds[number];
    if (size === undefined || namespaceFd === undefined)
      throw new RangeError(`an MTU of ${mtu} is more than ${LARGEST_MTU}`);
    const { mac, onSendFailure } = this.#options;
    const port = NetworkNamespace.ofFd(namespaceFd).run(
      () => new PacketPort(PacketRing.open(size), new PacketSender(mac, onSendFailure)),
    );
    this.#ports.push(port);
    this.#byNumber.set(number, port);
    return port;
  }

  /** The number of packets taken from the rings, at most `most` from each. */
  drain(most: number, onPacket: OnPacket): number {
    let taken = 0;
    for (const { ring } of this.#ports) taken += ring.drain(most, onPacket);
    return taken;
  }

  flush(): void {
    for (const port of this.#ports) port.flush();
  }

  takeDrops(): number {
    return this.#ports.reduce((sum, { ring }) => sum + ring.takeDrops(), 0);
  }
}
