/** A TUN device of Linux: the stack is the host at the far end of a link whose near end is an interface of the kernel. */
import koffi from 'koffi';
import { interfaceMtu } from './interface.js';
import { check, DeviceError, lastError, libc } from './libc.js';
import type { PacketDevice, Receive } from './packet-device.js';
import { isTrusted, VIRTIO_HEADER_OCTETS, writeVirtioHeader } from './virtio-header.js';

const O_RDWR = 0x2;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const MOST_OCTETS = 65_535;
const NAME_OCTETS = 15;
/** Packets taken before the event loop goes on: others are to be served, too. */
const MOST_AT_ONCE = 128;

export interface TunOptions {
  /** Of the kernel's interface. It is made where there is none, and then lives as long as the device. */
  readonly name: string;
  /** Lets the kernel hand over, and take, packets of many segments. */
  readonly offload: boolean;
}

export class TunDevice implements PacketDevice {
  readonly mtu: number;
  readonly offloadOctets: number;
  readonly #fd: number;
  readonly #headerOctets: number;
  readonly #buffer: Uint8Array;
  readonly #out: Uint8Array;
  readonly #outView: DataView;
  #receive: Receive | undefined;
  #watch: ReturnType<typeof koffi.node.poll> | undefined;
  #isOpen = true;

  constructor({ name, offload }: TunOptions) {
    if (name.length === 0 || Buffer.byteLength(name) > NAME_OCTETS)
      throw new DeviceError(
        'EINVAL',
        `"${name}" is no name of an interface: give 1 to ${NAME_OCTETS} octets`,
      );
    this.#fd = libc.open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (this.#fd < 0) throw noTun(name, lastError());
    try {
      const request = new Uint8Array(40);
      request.set(Buffer.from(name));
      const flags = IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0);
      new DataView(request.buffer).setUint16(16, flags, true);
      if (libc.ioctl(this.#fd, TUNSETIFF, request) < 0) throw noTun(name, lastError());
      if (offload)
        check(
          libc.ioctlNumber(this.#fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6),
          'ioctl(TUNSETOFFLOAD)',
        );
      this.mtu = interfaceMtu(name);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#headerOctets = offload ? VIRTIO_HEADER_OCTETS : 0;
    this.offloadOctets = offload ? MOST_OCTETS : 0;
    this.#buffer = new Uint8Array(this.#headerOctets + MOST_OCTETS);
    this.#out = new Uint8Array(this.#headerOctets + MOST_OCTETS);
    this.#outView = new DataView(this.#out.buffer);
  }

  start(receive: Receive): void {
    this.#receive = receive;
    this.#watch = koffi.node.poll(this.#fd, { readable: true }, () => this.poll());
    this.#watch.unref();
  }

  poll(): void {
    const header = this.#headerOctets;
    for (let taken = 0; taken < MOST_AT_ONCE && this.#isOpen; taken += 1) {
      const octets = libc.read(this.#fd, this.#buffer, this.#buffer.length);
      if (octets <= header) return;
      const facts = header > 0 && isTrusted(this.#buffer[0] ?? 0) ? TRUSTED : UNTRUSTED;
      this.#receive?.(this.#buffer.subarray(header, octets), facts);
    }
  }

  send(packet: Uint8Array, segmentOctets: number): void {
    if (!this.#isOpen) return;
    const header = this.#headerOctets;
    // What the kernel has no room for is lost, as on any link.
    if (header === 0) {
      libc.write(this.#fd, packet, packet.length);
      return;
    }
    this.#out.set(packet, header);
    writeVirtioHeader(this.#outView, 0, { packetAt: header, linkOctets: 0, segmentOctets });
    libc.write(this.#fd, this.#out, header + packet.length);
  }

  ref(): void {
    this.#watch?.ref();
  }

  unref(): void {
    this.#watch?.unref();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#watch?.close();
    libc.close(this.#fd);
  }
}

const TRUSTED = { isTrusted: true };
const UNTRUSTED = { isTrusted: false };

function noTun(name: string, code: string): DeviceError {
  const reason: Readonly<Record<string, string>> = {
    ENOENT: 'there is no /dev/net/tun: load the module "tun", or give the container that device',
    ENODEV: 'there is no /dev/net/tun: load the module "tun", or give the container that device',
    ENXIO: 'the kernel has no TUN: load the module "tun"',
    EACCES: '/dev/net/tun may not be opened: run as root, or use a veth',
    EPERM: 'it takes CAP_NET_ADMIN: run as root, or make the interface for this user with "ip tuntap add"',
    EBUSY: 'something else has it open, or it is no TUN',
    EINVAL: 'an interface of that name is no TUN, or was made with other flags',
  };
  return new DeviceError(code, `the TUN device ${name} cannot be opened: ${reason[code] ?? code}`);
}
