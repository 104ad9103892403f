/** A host of its own on a network of Linux: the stack on a TUN device, or on an interface such as one end of a veth pair. */
import { randomBytes } from 'node:crypto';
import { type StackClock, type StateChange, TcpStack } from '../host/index.js';
import { Liveness, Net } from '../net/index.js';
import type { TcpSettings } from '../tcp/index.js';
import { EthernetDevice } from './ethernet/ethernet-device.js';
import { macOctets } from './ethernet/mac.js';
import { parseAddress, Routes } from './ethernet/route.js';
import type { PacketDevice } from './packet-device.js';
import { RealClock } from './real-clock.js';
import { TunDevice } from './tun-device.js';

export interface HostOptions {
  /**
   * `veth`: an Ethernet interface that is there and up, such as one end of a veth pair; the host has an Ethernet address of its own.
   * `tun`: a TUN device, made where there is none of the name. Or a device of your own.
   */
  readonly device: 'veth' | 'tun' | PacketDevice;
  /** Of the interface, in the network namespace of the calling thread. */
  readonly name?: string;
  /** The host's own, such as `192.0.2.1/24`. */
  readonly addresses: readonly string[];
  /** Where packets to other networks go; one for each version of IP. Only for Ethernet: a TUN has one other end. */
  readonly gateway?: string | readonly string[];
  /** With a device of your own: the clock that it goes by; default: the machine's. */
  readonly clock?: StackClock;
  /** The host's Ethernet address; default: a random one. */
  readonly mac?: string;
  /** Hand packets of many segments to the kernel in one piece, and leave checksums to it. Default true. */
  readonly offload?: boolean;
  readonly settings?: Partial<TcpSettings>;
  readonly observe?: (change: StateChange) => void;
}

/** How long a host that is disposed of goes on delivering what programs wrote. */
const LINGER_MS = 2000;
const MOST_PACKET_OCTETS = 65_575;

export class Host implements AsyncDisposable {
  readonly connect: Net['connect'];
  readonly createConnection: Net['createConnection'];
  readonly createServer: Net['createServer'];
  readonly stack: TcpStack;
  readonly #device: PacketDevice;

  constructor(stack: TcpStack, device: PacketDevice) {
    this.stack = stack;
    this.#device = device;
    const net = new Net(stack, new Liveness((isHeld) => (isHeld ? device.ref() : device.unref())));
    this.connect = net.connect;
    this.createConnection = net.createConnection;
    this.createServer = net.createServer;
  }

  /** Closes all that is open, waits until what was written has arrived, at most two seconds, and gives everything back. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.stack.listeners) listener.close();
    for (const socket of [...this.stack.sockets]) socket.close();
    const endMs = performance.now() + LINGER_MS;
    while (performance.now() < endMs && this.#isDelivering())
      await new Promise((resolve) => setTimeout(resolve, 5));
    this.stack[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }

  #isDelivering(): boolean {
    for (const { state } of this.stack.sockets)
      if (state !== 'TIME-WAIT' && state !== 'FIN-WAIT-2' && state !== 'SYN-SENT') return true;
    return false;
  }
}

/** Opens it at once, in the network namespace of the calling thread. Throws a `DeviceError` that says what is missing. */
export function openHost(options: HostOptions): Host {
  const addresses = options.addresses.map(parseAddress);
  if (addresses.length === 0)
    throw new RangeError('a host has an address at least: give one such as 192.0.2.1/24');
  let device: PacketDevice | undefined;
  const clock = options.clock ?? new RealClock(() => device?.poll());
  device = openDevice(options, clock);
  const opened = device;
  const stack = new TcpStack({
    clock,
    randomBytes,
    addresses: addresses.map(({ ip }) => ip),
    mtu: opened.mtu,
    offloadOctets: opened.offloadOctets,
    packetMemory: new Uint8Array(MOST_PACKET_OCTETS),
    output: (packet, segmentOctets) => opened.send(packet, segmentOctets),
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  });
  opened.start((packet, { isTrusted }) => stack.input(packet, isTrusted ? 'trust' : 'verify'));
  return new Host(stack, opened);
}

function openDevice(options: HostOptions, clock: StackClock): PacketDevice {
  const { device, name, gateway = [], offload = true } = options;
  if (typeof device !== 'string') return device;
  if (name === undefined) throw new RangeError(`a ${device} needs the name of its interface`);
  if (device === 'tun') return new TunDevice({ name, offload });
  const { addresses, mac } = options;
  const gateways = typeof gateway === 'string' ? [gateway] : gateway;
  return new EthernetDevice({
    name,
    ...(mac === undefined ? {} : { mac: macOctets(mac) }),
    addresses,
    routes: new Routes(addresses, gateways),
    clock,
    offload,
  });
}
