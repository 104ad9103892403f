/** For this folder's tests: real sockets in a network namespace of their own, both ends on its loopback. */
import { setTimeout } from 'node:timers/promises';
import koffi from 'koffi';
import type { TcpState } from '../endpoint/index.js';
import {
  AF_INET,
  AF_INET6,
  check,
  encodeSockaddr,
  IPPROTO_TCP,
  libc,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  NetworkNamespace,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../sys/index.js';
import { type Pair, SockDiag } from './sock-diag.js';

const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 0x1;
const SO_LINGER = 13;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const TCP_DEFER_ACCEPT = 9;
const SHUT_WR = 1;

export class Loopback implements Disposable {
  readonly namespace = NetworkNamespace.create();
  readonly ip: string;
  readonly #open = new Set<number>();
  readonly #diag = this.namespace.run(() => new SockDiag());

  constructor(readonly ipVersion: 4 | 6) {
    this.ip = ipVersion === 4 ? '127.0.0.1' : '::1';
    const request = new Uint8Array(40);
    request.set(new TextEncoder().encode('lo'));
    new DataView(request.buffer).setUint16(16, IFF_UP, true);
    const fd = this.#socket();
    check(libc.ioctl(fd, SIOCSIFFLAGS, request), 'ioctl(SIOCSIFFLAGS)');
    this.close(fd);
  }

  #socket(): number {
    const family = this.ipVersion === 4 ? AF_INET : AF_INET6;
    const fd = this.namespace.run(() =>
      check(libc.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket'),
    );
    this.#open.add(fd);
    return fd;
  }

  #bound(port: number, ip = this.ip): number {
    const fd = this.#socket();
    const address = encodeSockaddr({ ip, port });
    check(libc.bind(fd, address, address.length), 'bind');
    return fd;
  }

  listen(port: number): number {
    const fd = this.#bound(port);
    check(libc.listen(fd, 16), 'listen');
    return fd;
  }

  /** A connection begun; on loopback it is established, or refused, when this returns. */
  connect(port: number, fromPort: number, fromIp = this.ip): number {
    const fd = this.#bound(fromPort, fromIp);
    const address = encodeSockaddr({ ip: this.ip, port });
    libc.connect(fd, address, address.length);
    return fd;
  }

  accept(listener: number): number {
    const fd = check(libc.accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC), 'accept');
    this.#open.add(fd);
    return fd;
  }

  /** From now on the socket hears nothing: a filter of its own (`ret 0`) drops each segment before its TCP. */
  deafen(fd: number): void {
    const returnZero = new Uint8Array(8);
    returnZero[0] = 0x06;
    const program = new Uint8Array(16);
    const view = new DataView(program.buffer);
    view.setUint16(0, 1, true);
    view.setBigUint64(8, koffi.address(returnZero), true);
    check(libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length), 'SO_ATTACH_FILTER');
  }

  hear(fd: number): void {
    check(libc.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, new Uint8Array(4), 4), 'SO_DETACH_FILTER');
  }

  /** The listener takes no notice of a bare handshake ACK: the connection stays a request socket until data comes. */
  deferAccept(listener: number): void {
    const seconds = Uint8Array.of(30, 0, 0, 0);
    check(libc.setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds, 4), 'TCP_DEFER_ACCEPT');
  }

  send(fd: number, data: Uint8Array): void {
    check(libc.send(fd, data, data.length, MSG_NOSIGNAL), 'send');
  }

  receive(fd: number): void {
    check(libc.recv(fd, new Uint8Array(64), 64, MSG_DONTWAIT), 'recv');
  }

  /** The state of what the kernel finds for a pair; see `SockDiag.find`. */
  stateOf(pair: Pair): TcpState | undefined {
    return this.#diag.find(pair)?.state;
  }

  shutdownWrite(fd: number): void {
    check(libc.shutdown(fd, SHUT_WR), 'shutdown');
  }

  abort(fd: number): void {
    const linger = new Uint8Array(8);
    linger[0] = 1;
    check(libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length), 'setsockopt(SO_LINGER)');
    this.close(fd);
  }

  /** Waits for what only the kernel's own timers bring about. */
  async until(holds: () => boolean, withinMs = 4000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${holds}`);
      await setTimeout(1);
    }
  }

  close(fd: number): void {
    this.#open.delete(fd);
    libc.close(fd);
  }

  [Symbol.dispose](): void {
    this.#diag[Symbol.dispose]();
    for (const fd of this.#open) libc.close(fd);
    this.namespace[Symbol.dispose]();
  }
}
