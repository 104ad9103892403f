/** One file descriptor of a TCP socket of this machine's kernel, non-blocking, driven through libc. */
import koffi from 'koffi';
import { type Clock, NANOS_PER_MS } from '../../clock/index.js';
import {
  decodeSockaddr,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  encodeSockaddr,
  errnoName,
  IPPROTO_TCP,
  libc,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SIOCATMARK,
  SIOCINQ,
  SIOCOUTQ,
  SIOCOUTQNSD,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from '../../sys/index.js';
import {
  type Address,
  type MessageFlag,
  type PollEvents,
  type Received,
  SocketError,
  WaitTimeout,
} from '../endpoint.js';
import type { Accepted, MessageOptions, Outcome, Queues, SocketDriver } from '../socket-driver.js';
import { decodeOption, encodeOption, type SocketOption, socketOption } from '../socket-options.js';
import { decodeTcpInfo, type TcpInfo } from '../tcp-info.js';
import type { TcpState } from '../tcp-state.js';
import { checked, checkedOrLater, KernelDescriptor } from './kernel-descriptor.js';
import type { Readiness } from './readiness.js';

/** What all sockets of one endpoint share. */
export interface KernelContext {
  readonly clock: Clock;
  readonly readiness: Readiness;
  /** `uname -r`. */
  readonly release: string;
}

const SOCKADDR_OCTETS = 28;
const TCP_INFO = { name: 'TCP_INFO', level: IPPROTO_TCP, number: 11 } as const;
const SO_ERROR = socketOption('SO_ERROR');
const HOW = { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR } as const;
const FLAGS: Readonly<Record<MessageFlag, number>> = {
  OOB: MSG_OOB,
  PEEK: MSG_PEEK,
  DONTWAIT: MSG_DONTWAIT,
  MORE: MSG_MORE,
};

const flagBits = (flags: readonly MessageFlag[]) => flags.reduce((bits, flag) => bits | FLAGS[flag], 0);

export class KernelSocket implements SocketDriver {
  readonly #context: KernelContext;
  readonly #descriptor: KernelDescriptor;

  /** Takes the descriptor over. */
  constructor(context: KernelContext, fd: number) {
    this.#context = context;
    this.#descriptor = new KernelDescriptor(context.readiness, fd);
  }

  bind(at: Address): void {
    const address = encodeSockaddr(at);
    checked(
      libc.bind(this.#descriptor.number('bind'), address, address.length),
      'bind',
      `${at.ip} port ${at.port}`,
    );
  }

  listen(at: Address, backlog: number): Address {
    this.bind(at);
    checked(libc.listen(this.#descriptor.number('listen'), backlog), 'listen');
    return this.localAddress();
  }

  /** Begins at once; resolves when the handshake is done, and rejects with what SO_ERROR says of it. */
  async connect(to: Address, withinMs: number): Promise<void> {
    const address = encodeSockaddr(to);
    let begun = false;
    await this.#retry('connect', { events: EPOLLOUT, withinMs }, (fd) => {
      if (!begun) {
        begun = true;
        if (libc.connect(fd, address, address.length) === 0) return true;
        const errno = errnoName(koffi.errno());
        if (errno === 'EINPROGRESS') return undefined;
        throw new SocketError(errno, 'connect');
      }
      // SO_ERROR is 0 while the handshake is under way, too.
      if (this.#descriptor.pollNow(EPOLLOUT) === 0) return undefined;
      const error = this.takeError();
      if (error !== undefined) throw new SocketError(error, 'connect');
      return true;
    });
  }

  localAddress(): Address {
    return this.#descriptor.localAddress();
  }

  accept(withinMs: number): Promise<Accepted> {
    return this.#retry('accept', { events: EPOLLIN, withinMs }, (fd) => {
      const address = new Uint8Array(SOCKADDR_OCTETS);
      const size = Uint8Array.of(address.length, 0, 0, 0);
      const made = checkedOrLater(libc.accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC), 'accept');
      if (made === undefined) return undefined;
      const driver = new KernelSocket(this.#context, made);
      return { driver, local: driver.localAddress(), remote: decodeSockaddr(address) };
    });
  }

  async send(octets: Uint8Array, { flags, withinMs }: MessageOptions): Promise<number> {
    const bits = flagBits(flags) | MSG_NOSIGNAL;
    let sent = 0;
    const more = (fd: number): number | undefined => {
      for (;;) {
        const taken = checkedOrLater(
          libc.send(fd, octets.subarray(sent), octets.length - sent, bits),
          'send',
        );
        sent += taken ?? 0;
        if (sent === octets.length) return sent;
        if (taken !== undefined) continue;
        if (!flags.includes('DONTWAIT')) return undefined;
        if (sent === 0) throw new SocketError('EAGAIN', 'send');
        return sent;
      }
    };
    try {
      return await this.#retry('send', { events: EPOLLOUT, withinMs }, more);
    } catch (error) {
      // As with SO_SNDTIMEO: what has been taken is the result.
      if (error instanceof WaitTimeout && sent > 0) return sent;
      throw error;
    }
  }

  receive(most: number, { flags, withinMs }: MessageOptions): Promise<Received> {
    const buffer = new Uint8Array(most);
    const bits = flagBits(flags);
    // Urgent data comes with EPOLLPRI; after a FIN none can come.
    const events = flags.includes('OOB') ? EPOLLPRI | EPOLLRDHUP : EPOLLIN | EPOLLRDHUP;
    let isFirst = true;
    return this.#retry<Received>('receive', { events, withinMs }, (fd) => {
      const octets = receiveOnce(fd, buffer, bits, isFirst);
      isFirst = false;
      if (octets === undefined) return undefined;
      return octets === 0 ? { kind: 'end' } : { kind: 'data', data: buffer.slice(0, octets) };
    });
  }

  shutdown(how: 'read' | 'write' | 'both'): void {
    checked(libc.shutdown(this.#descriptor.number('shutdown'), HOW[how]), 'shutdown');
  }

  setOption(option: SocketOption, value: number | string): void {
    const { level, number, name } = option;
    const bytes = encodeOption(option, value);
    const fd = this.#descriptor.number('setsockopt');
    checked(libc.setsockopt(fd, level, number, bytes, bytes.length), 'setsockopt', name);
  }

  getOption(option: SocketOption): number | string {
    return decodeOption(option, this.#descriptor.rawOption(option));
  }

  info(): TcpInfo {
    return decodeTcpInfo(this.#descriptor.rawOption(TCP_INFO), this.#context.release);
  }

  state(): TcpState {
    return this.info().state;
  }

  queues(): Queues {
    return {
      recvOctets: this.#descriptor.int(SIOCINQ, 'ioctl(SIOCINQ)'),
      sendOctets: this.#descriptor.int(SIOCOUTQ, 'ioctl(SIOCOUTQ)'),
      unsentOctets: this.#descriptor.int(SIOCOUTQNSD, 'ioctl(SIOCOUTQNSD)'),
    };
  }

  isAtUrgentMark(): boolean {
    return this.#descriptor.int(SIOCATMARK, 'ioctl(SIOCATMARK)') !== 0;
  }

  takeError(): string | undefined {
    const errno = Number(this.getOption(SO_ERROR));
    return errno === 0 ? undefined : errnoName(errno);
  }

  poll(): PollEvents {
    const events = this.#descriptor.pollNow(EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP);
    return {
      readable: (events & EPOLLIN) !== 0,
      writable: (events & EPOLLOUT) !== 0,
      urgent: (events & EPOLLPRI) !== 0,
      peerClosed: (events & EPOLLRDHUP) !== 0,
      hungUp: (events & EPOLLHUP) !== 0,
      error: (events & EPOLLERR) !== 0,
    };
  }

  close(): Outcome<void> {
    const fd = this.#descriptor.release('close');
    if (this.#descriptor.lingers(fd)) return libc.closeOnThread(fd);
    libc.close(fd);
  }

  /** Linger 0 and close(2): what is unsent is thrown away and a RST goes out. */
  abort(): void {
    this.#descriptor.setLinger(this.#descriptor.number('abort'), 0);
    libc.close(this.#descriptor.release('abort'));
  }

  dispose(): void {
    if (!this.#descriptor.isOpen) return;
    const fd = this.#descriptor.release('close');
    if (this.#descriptor.lingers(fd)) this.#descriptor.setLinger(fd, -1);
    libc.close(fd);
  }

  /** Repeats an attempt that gives undefined for "not now", whenever one of the epoll events comes, within a limit. */
  async #retry<T>(
    call: string,
    wait: { events: number; withinMs: number },
    attempt: (fd: number) => T | undefined,
  ): Promise<T> {
    const untilNs = this.#context.clock.now() + wait.withinMs * NANOS_PER_MS;
    for (;;) {
      const value = attempt(this.#descriptor.number(call));
      if (value !== undefined) return value;
      const wake = await this.#context.readiness.wait(this.#descriptor.number(call), wait.events, untilNs);
      if (wake === 'closed') throw new SocketError('EBADF', call, 'this socket was closed meanwhile');
      if (wake === 'ready') continue;
      // On a busy machine the timer may be served before an event that came earlier: look once more.
      const last = attempt(this.#descriptor.number(call));
      if (last !== undefined) return last;
      throw new WaitTimeout(call, wait.withinMs);
    }
  }
}

/** EINVAL for MSG_OOB says that no urgent data has come (tcp_recv_urg): worth waiting for, once. */
function receiveOnce(fd: number, buffer: Uint8Array, bits: number, isFirst: boolean): number | undefined {
  const dontWait = (bits & MSG_DONTWAIT) !== 0;
  try {
    const octets = checkedOrLater(libc.recv(fd, buffer, buffer.length, bits), 'receive');
    if (octets === undefined && dontWait) throw new SocketError('EAGAIN', 'receive');
    return octets;
  } catch (error) {
    const noneYet = error instanceof SocketError && error.errno === 'EINVAL' && (bits & MSG_OOB) !== 0;
    if (noneYet && isFirst && !dontWait) return undefined;
    throw error;
  }
}
