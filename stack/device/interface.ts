/** What the kernel says of its interfaces (netdevice(7)), in the network namespace of the calling thread. */
import { check, DeviceError, lastError, libc } from './libc.js';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const IFREQ_OCTETS = 40;
const VALUE_AT = 16;
const IFF_UP = 1;
const ARPHRD_ETHER = 1;

export interface InterfaceFacts {
  readonly index: number;
  readonly mtu: number;
}

export const interfaceMtu = (name: string): number =>
  ask(name, SIOCGIFMTU, (view) => view.getInt32(VALUE_AT, true));

/** Of an Ethernet interface that is up. */
export function ethernetInterface(name: string): InterfaceFacts {
  const index = ask(name, SIOCGIFINDEX, (view) => view.getInt32(VALUE_AT, true));
  const kind = ask(name, SIOCGIFHWADDR, (view) => view.getUint16(VALUE_AT, true));
  if (kind !== ARPHRD_ETHER)
    throw new DeviceError('EINVAL', `the interface ${name} is no Ethernet: give a veth, a TAP or a card`);
  const flags = ask(name, SIOCGIFFLAGS, (view) => view.getUint16(VALUE_AT, true));
  if ((flags & IFF_UP) === 0)
    throw new DeviceError('ENETDOWN', `the interface ${name} is down: "ip link set ${name} up"`);
  return { index, mtu: interfaceMtu(name) };
}

function ask(name: string, request: number, read: (view: DataView) => number): number {
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_INET)');
  try {
    const argument = new Uint8Array(IFREQ_OCTETS);
    argument.set(Buffer.from(name).subarray(0, 15));
    if (libc.ioctl(fd, request, argument) < 0) {
      const code = lastError();
      const why = code === 'ENODEV' ? 'there is none of that name here' : code;
      throw new DeviceError(code, `the interface ${name} cannot be used: ${why}`);
    }
    return read(new DataView(argument.buffer));
  } finally {
    libc.close(fd);
  }
}
