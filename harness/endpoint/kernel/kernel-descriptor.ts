/** The file descriptor of a socket: whether it is still open, and what is asked of it beside sending and receiving. */
import koffi from 'koffi';
import { decodeSockaddr, errnoName, libc } from '../../sys/index.js';
import { type Address, SocketError } from '../endpoint.js';
import { decodeOption, encodeOption, type SocketOption, socketOption } from '../socket-options.js';
import type { Readiness } from './readiness.js';

/** Room for every option of fixed size and for names; TCP_SAVED_SYN is at most two headers. */
const OPTION_OCTETS = 512;
const SOCKADDR_OCTETS = 28;
const LINGER = socketOption('SO_LINGER');

/** The result of a system call; -1 becomes a `SocketError` with errno's name. */
export function checked(result: number, call: string, detail?: string): number {
  if (result >= 0) return result;
  throw new SocketError(errnoName(koffi.errno()), call, detail);
}

/** Like `checked`, with EAGAIN as undefined: "not now". */
export function checkedOrLater(result: number, call: string): number | undefined {
  if (result >= 0) return result;
  const errno = errnoName(koffi.errno());
  if (errno === 'EAGAIN') return undefined;
  throw new SocketError(errno, call);
}

export class KernelDescriptor {
  readonly #readiness: Readiness;
  #fd: number | undefined;

  constructor(readiness: Readiness, fd: number) {
    this.#readiness = readiness;
    this.#fd = fd;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** Throws EBADF when it is closed. */
  number(call: string): number {
    if (this.#fd === undefined) throw new SocketError('EBADF', call, 'this socket has been closed');
    return this.#fd;
  }

  localAddress(): Address {
    const address = new Uint8Array(SOCKADDR_OCTETS);
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, address.length, true);
    checked(libc.getsockname(this.number('getsockname'), address, size), 'getsockname');
    return decodeSockaddr(address);
  }

  /** The octets of an option, as many as the kernel gives. */
  rawOption({ level, number, name }: Pick<SocketOption, 'level' | 'number' | 'name'>): Uint8Array {
    const bytes = new Uint8Array(OPTION_OCTETS);
    const size = new Uint8Array(4);
    const view = new DataView(size.buffer);
    view.setUint32(0, bytes.length, true);
    const fd = this.number('getsockopt');
    checked(libc.getsockopt(fd, level, number, bytes, size), 'getsockopt', name);
    return bytes.subarray(0, view.getUint32(0, true));
  }

  /** An ioctl(2) that answers with an int. */
  int(request: number, call: string): number {
    const answer = new Uint8Array(4);
    checked(libc.ioctl(this.number(call), request, answer), call);
    return new DataView(answer.buffer).getInt32(0, true);
  }

  /** The poll(2) events of the moment; its bits are those of epoll(7). */
  pollNow(events: number): number {
    const pollfd = new Uint8Array(8);
    const view = new DataView(pollfd.buffer);
    view.setInt32(0, this.number('poll'), true);
    view.setUint16(4, events, true);
    checked(libc.poll(pollfd, 1, 0), 'poll');
    return view.getUint16(6, true);
  }

  /** Gives it up, and wakes all that wait for it; the caller closes it. */
  release(call: string): number {
    const fd = this.number(call);
    this.#readiness.forget(fd);
    this.#fd = undefined;
    return fd;
  }

  /** Has it a linger time? Also asked when it was given up. */
  lingers(fd: number): boolean {
    const value = new Uint8Array(8);
    const size = Uint8Array.of(value.length, 0, 0, 0);
    checked(libc.getsockopt(fd, LINGER.level, LINGER.number, value, size), 'getsockopt', LINGER.name);
    return Number(decodeOption(LINGER, value)) > 0;
  }

  /** In seconds, -1 for off. */
  setLinger(fd: number, seconds: number): void {
    const value = encodeOption(LINGER, seconds);
    checked(libc.setsockopt(fd, LINGER.level, LINGER.number, value, value.length), 'setsockopt', LINGER.name);
  }
}
