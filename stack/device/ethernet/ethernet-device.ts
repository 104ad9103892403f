/** The stack as a host of its own on an Ethernet: its frames, its address, and who has which address of the others. */
import { randomBytes } from 'node:crypto';
import { ipBytes, ipv4Text, ipv6Text } from '../../../harness/segment/index.js';
import type { StackClock } from '../../host/index.js';
import { ethernetInterface } from '../interface.js';
import { DeviceError } from '../libc.js';
import type { PacketDevice, Receive } from '../packet-device.js';
import { PacketSocket, type Slot } from '../packet-socket.js';
import { VIRTIO_HEADER_OCTETS, writeVirtioHeader } from '../virtio-header.js';
import { readArp, writeArp } from './arp.js';
import { BROADCAST, isGroupMac, localMac, MAC_OCTETS, multicastMac6, sameOctets } from './mac.js';
import {
  ALL_NODES,
  isNeighbourMessage,
  readNeighbourMessage,
  solicitedNodeGroup,
  writeNeighbourMessage,
} from './neighbour-discovery.js';
import { Neighbours } from './neighbours.js';
import { type OwnAddress, parseAddress, type Routes } from './route.js';

const HEADER_OCTETS = 14;
const ETH_P_IP = 0x0800;
const ETH_P_ARP = 0x0806;
const ETH_P_IPV6 = 0x86dd;
const MOST_OCTETS = 65_535;
const UNKNOWN = new Uint8Array(MAC_OCTETS);

export interface EthernetOptions {
  /** Of the interface in the network namespace of the calling thread. */
  readonly name: string;
  /** Default: a random one. */
  readonly mac?: Uint8Array;
  /** The host's own, such as `192.0.2.1/24`. */
  readonly addresses: readonly string[];
  readonly routes: Routes;
  readonly clock: StackClock;
  /** Hands packets of many segments over in one piece, without checksums: the interface, or the kernel for it, does the rest. */
  readonly offload: boolean;
}

export class EthernetDevice implements PacketDevice {
  readonly mtu: number;
  readonly offloadOctets: number;
  readonly #offload: boolean;
  readonly #routes: Routes;
  readonly #addresses: readonly OwnAddress[];
  readonly #mac: Uint8Array;
  readonly #socket: PacketSocket;
  readonly #neighbours: Neighbours;
  #receive: Receive | undefined;
  /** Where packets to the destination before went, for as long as they leave together. */
  #lastDestination = new Uint8Array(0);
  #lastMac: Uint8Array | undefined;

  constructor(options: EthernetOptions) {
    this.#offload = options.offload;
    this.#routes = options.routes;
    this.#addresses = options.addresses.map(parseAddress);
    this.#mac = options.mac ?? localMac(randomBytes(MAC_OCTETS));
    const { index, mtu } = withSentence(options.name, () => ethernetInterface(options.name));
    this.mtu = mtu;
    this.offloadOctets = options.offload ? MOST_OCTETS : 0;
    this.#socket = withSentence(
      options.name,
      () =>
        new PacketSocket(index, options.offload ? MOST_OCTETS : mtu, (frame, isTrusted) =>
          this.#frame(frame, isTrusted),
        ),
    );
    this.#neighbours = new Neighbours(options.clock, (ip, mac) => this.#solicit(ip, mac));
  }

  start(receive: Receive): void {
    this.#receive = receive;
  }

  poll(): void {
    this.#socket.poll();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  [Symbol.dispose](): void {
    this.#neighbours[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }

  // In

  #frame(frame: Uint8Array, isTrusted: boolean): void {
    if (frame.length < HEADER_OCTETS) return;
    if (!sameOctets(frame, 0, this.#mac) && !isGroupMac(frame, 0)) return;
    const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
    const packet = frame.subarray(HEADER_OCTETS);
    if (type === ETH_P_IPV6 && isNeighbourMessage(packet)) this.#neighbourMessage(packet);
    else if (type === ETH_P_IP || type === ETH_P_IPV6)
      this.#receive?.(packet, isTrusted ? TRUSTED : UNTRUSTED);
    else if (type === ETH_P_ARP) this.#arp(packet);
  }

  /** RFC 826, packet reception. */
  #arp(octets: Uint8Array): void {
    const message = readArp(octets);
    if (message === undefined || isGroupMac(message.senderMac, 0)) return;
    const own = this.#own(message.targetIp);
    this.#learn(ipv4Text(message.senderIp), message.senderMac, own === undefined);
    if (own === undefined || message.operation !== 'request') return;
    const reply = writeArp({
      operation: 'reply',
      senderMac: this.#mac,
      senderIp: own.octets,
      targetMac: message.senderMac,
      targetIp: message.senderIp,
    });
    this.#sendFrame(message.senderMac, ETH_P_ARP, reply);
  }

  /** RFC 4861 sections 7.2.3 to 7.2.5. */
  #neighbourMessage(packet: Uint8Array): void {
    const message = readNeighbourMessage(packet);
    if (message === undefined) return;
    const { kind, sourceIp, targetIp, mac } = message;
    if (kind === 'advertisement') {
      if (mac !== undefined) this.#learn(ipv6Text(targetIp), mac, true);
      return;
    }
    const own = this.#own(targetIp);
    if (own === undefined) return;
    const isProbe = sourceIp.every((octet) => octet === 0);
    if (!isProbe && mac !== undefined) this.#learn(ipv6Text(sourceIp), mac, false);
    const to = isProbe ? ALL_NODES : sourceIp;
    const answer = writeNeighbourMessage({
      kind: 'advertisement',
      sourceIp: own.octets,
      destinationIp: to,
      targetIp: own.octets,
      mac: this.#mac,
      isAnswer: !isProbe,
    });
    this.#sendFrame(isProbe ? multicastMac6(to) : (mac ?? BROADCAST), ETH_P_IPV6, answer);
  }

  #own(ip: Uint8Array): OwnAddress | undefined {
    return this.#addresses.find(({ octets }) => octets.length === ip.length && sameOctets(octets, 0, ip));
  }

  #learn(ip: string, mac: Uint8Array, isAsked: boolean): void {
    this.#lastMac = undefined;
    this.#neighbours.learn(ip, mac, isAsked);
  }

  // Out

  send(packet: Uint8Array, segmentOctets: number): void {
    const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
    const destination = isVersion6 ? packet.subarray(24, 40) : packet.subarray(16, 20);
    const mac = this.#macFor(destination);
    if (mac !== undefined) this.#sendPacket(mac, packet, segmentOctets);
    else {
      const copy = packet.slice();
      this.#neighbours.whenKnown(
        this.#nextHop(copy.subarray(isVersion6 ? 24 : 16, isVersion6 ? 40 : 20)),
        () => this.send(copy, segmentOctets),
      );
    }
  }

  #nextHop(destination: Uint8Array): string {
    const gateway = this.#routes.gatewayFor(destination);
    return gateway ?? (destination.length === 4 ? ipv4Text(destination) : ipv6Text(destination));
  }

  #macFor(destination: Uint8Array): Uint8Array | undefined {
    const last = this.#lastDestination;
    if (this.#lastMac !== undefined && last.length === destination.length && sameOctets(destination, 0, last))
      return this.#lastMac;
    const mac = this.#neighbours.find(this.#nextHop(destination));
    this.#lastDestination = destination.slice();
    this.#lastMac = mac;
    // What is known becomes old: it is looked up again for what leaves later.
    queueMicrotask(() => {
      this.#lastMac = undefined;
    });
    return mac;
  }

  #sendPacket(mac: Uint8Array, packet: Uint8Array, segmentOctets: number): void {
    const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
    const slot = this.#write(mac, isVersion6 ? ETH_P_IPV6 : ETH_P_IP, packet);
    if (slot === undefined) return;
    if (this.#offload)
      writeVirtioHeader(slot.view, slot.at, {
        packetAt: slot.at + VIRTIO_HEADER_OCTETS + HEADER_OCTETS,
        linkOctets: HEADER_OCTETS,
        segmentOctets,
      });
    this.#socket.commit(HEADER_OCTETS + packet.length);
  }

  #sendFrame(mac: Uint8Array, type: number, content: Uint8Array): void {
    if (this.#write(mac, type, content) !== undefined) this.#socket.commit(HEADER_OCTETS + content.length);
  }

  #write(mac: Uint8Array, type: number, content: Uint8Array): Slot | undefined {
    const slot = this.#socket.slot();
    if (slot === undefined) return undefined;
    const { octets, view, at } = slot;
    octets.fill(0, at, at + VIRTIO_HEADER_OCTETS);
    const frameAt = at + VIRTIO_HEADER_OCTETS;
    octets.set(mac, frameAt);
    octets.set(this.#mac, frameAt + MAC_OCTETS);
    view.setUint16(frameAt + 2 * MAC_OCTETS, type);
    octets.set(content, frameAt + HEADER_OCTETS);
    return slot;
  }

  #solicit(ip: string, known: Uint8Array | undefined): void {
    const octets = ipBytes(ip);
    const source = this.#routes.sourceFor(octets);
    if (source === undefined) return;
    if (octets.length === 4) {
      const request = writeArp({
        operation: 'request',
        senderMac: this.#mac,
        senderIp: source.octets,
        targetMac: UNKNOWN,
        targetIp: octets,
      });
      this.#sendFrame(known ?? BROADCAST, ETH_P_ARP, request);
      return;
    }
    const group = solicitedNodeGroup(octets);
    const solicitation = writeNeighbourMessage({
      kind: 'solicitation',
      sourceIp: source.octets,
      destinationIp: known === undefined ? group : octets,
      targetIp: octets,
      mac: this.#mac,
    });
    this.#sendFrame(known ?? multicastMac6(group), ETH_P_IPV6, solicitation);
  }
}

const TRUSTED = { isTrusted: true };
const UNTRUSTED = { isTrusted: false };

function withSentence<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof DeviceError) || !error.message.includes('AF_PACKET')) throw error;
    const why =
      error.code === 'EPERM' || error.code === 'EACCES'
        ? 'it takes CAP_NET_RAW: run as root, or inside a user namespace ("unshare -Urn")'
        : error.message;
    throw new DeviceError(error.code, `the interface ${name} cannot be used: ${why}`);
  }
}
