/** Switches a link's offloads off, so that what is seen on it is what a network would carry (uapi/linux/ethtool.h). */
import { AF_INET, check, libc, MappedMemory, SOCK_CLOEXEC, SOCK_DGRAM } from '../../sys/index.js';

const SIOCETHTOOL = 0x8946;
/** ETHTOOL_S…: receive and transmit checksums, scatter-gather, TSO, GSO, GRO. */
const SWITCHES = [0x15, 0x17, 0x19, 0x1f, 0x24, 0x2c] as const;
const IFREQ_OCTETS = 40;

let memory: MappedMemory | undefined;

/** Of a link of the namespace that the calling thread is in. */
export const switchOffloadsOff = (link: string): void => switchOffloads(link, 0);

/** On is what links that others made have, as a rule. */
export const switchOffloadsOn = (link: string): void => switchOffloads(link, 1);

function switchOffloads(link: string, value: 0 | 1): void {
  // struct ifreq points at struct ethtool_value: both need an address that stays.
  memory ??= MappedMemory.anonymous(4096);
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_INET)');
  try {
    const view = new DataView(memory.buffer);
    const request = new Uint8Array(memory.buffer, 0, IFREQ_OCTETS).fill(0);
    request.set(new TextEncoder().encode(link));
    view.setBigUint64(16, memory.address + 64n, true);
    for (const command of SWITCHES) {
      view.setUint32(64, command, true);
      view.setUint32(68, value, true);
      check(libc.ioctl(fd, SIOCETHTOOL, request), `ioctl(SIOCETHTOOL, 0x${command.toString(16)}) of ${link}`);
    }
  } finally {
    libc.close(fd);
  }
}
