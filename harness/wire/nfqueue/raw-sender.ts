/**
 * Sends whole IP packets from a network namespace, to whoever their destination is: another machine, or a socket of the namespace itself, by
 * way of its loopback. They bear a mark by which the rules that queue packets know them, and let them pass.
 */

import { ipv4Text, ipv6Text } from '../../segment/index.js';
import {
  AF_INET,
  AF_INET6,
  check,
  encodeSockaddr,
  IPPROTO_RAW,
  libc,
  SO_MARK,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  SysError,
} from '../../sys/index.js';

const SO_TIMESTAMPNS = 35;

export class RawSender implements Disposable {
  readonly #fds = new Map<4 | 6, number>();

  /** For the namespace that the calling thread is in. Without a `mark` the rules take the packets for anybody's. */
  constructor({ mark }: { readonly mark?: number } = {}) {
    for (const version of [4, 6] as const) {
      const fd = openSocket(version, mark);
      if (fd !== undefined) this.#fds.set(version, fd);
    }
  }

  /** Throws a `SysError` when the namespace has no way there, or takes no packet of this size. */
  send(packet: Uint8Array): void {
    const version = (packet[0] ?? 0) >> 4 === 6 ? 6 : 4;
    const fd = this.#fds.get(version);
    if (fd === undefined) throw new SysError('EAFNOSUPPORT', `socket(IPv${version}, SOCK_RAW)`);
    const ip = version === 6 ? ipv6Text(packet, 24) : ipv4Text(packet, 16);
    const address = encodeSockaddr({ ip, port: 0 });
    check(libc.sendto(fd, packet, packet.length, 0, address, address.length), `send of a packet to ${ip}`);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) libc.close(fd);
    this.#fds.clear();
  }
}

/** Undefined for IPv6 where the kernel has none. */
function openSocket(version: 4 | 6, mark: number | undefined): number | undefined {
  const family = version === 4 ? AF_INET : AF_INET6;
  const fd = libc.socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
  if (version === 6 && fd < 0) return undefined;
  check(fd, 'socket(SOCK_RAW)');
  const set = (name: number, value: number, what: string) =>
    check(
      libc.setsockopt(fd, SOL_SOCKET, name, new Uint8Array(Uint32Array.of(value).buffer), 4),
      `setsockopt(${what})`,
    );
  try {
    if (mark !== undefined) set(SO_MARK, mark, 'SO_MARK');
    // Somebody who wants stamps makes the kernel stamp packets as they come off the network.
    set(SO_TIMESTAMPNS, 1, 'SO_TIMESTAMPNS');
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
