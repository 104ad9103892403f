/**
 * One file descriptor of a TCP socket: calls that are logged and whose errors are values with names, waiting within a limit,
 * options, and closing. What listeners and connections have in common.
 */
import koffi from 'koffi';
import { type Clock, NANOS_PER_MS } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import { decodeSockaddr, errnoName, libc } from '../../sys/index.js';
import type { CallLog, CallRecord } from '../call-record.js';
import { type Address, SocketError, type SocketOptions, WaitTimeout } from '../endpoint.js';
import type { Readiness } from './readiness.js';
import { decodeOption, encodeOption, type SocketOption, socketOption } from './socket-options.js';

/** What all sockets of one endpoint share. */
export interface KernelContext {
  readonly side: Side;
  readonly clock: Clock;
  readonly log: CallLog;
  readonly readiness: Readiness;
  /** `uname -r`. */
  readonly release: string;
  /** Takes over a descriptor: the endpoint closes it at its own end if nobody did before. */
  adopt(fd: number): KernelSocket;
}

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

export class KernelSocket {
  readonly #context: KernelContext;
  readonly #onClosed: () => void;
  #fd: number | undefined;

  constructor(
    context: KernelContext,
    fd: number,
    /** From 1 in the order the endpoint's sockets were made. */
    readonly number: number,
    onClosed: () => void,
  ) {
    this.#context = context;
    this.#fd = fd;
    this.#onClosed = onClosed;
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  fd(call: string): number {
    if (this.#fd === undefined) throw new SocketError('EBADF', call, 'this socket has been closed');
    return this.#fd;
  }

  /** Makes a call and logs it with its result. The step begins at once, before this returns. */
  async call<T>(
    call: string,
    args: CallRecord['args'],
    step: () => T | Promise<T>,
    outcome: (value: T) => CallRecord['result'],
  ): Promise<T> {
    const { side, clock, log } = this.#context;
    const atNs = clock.now();
    const record = (result: CallRecord['result']) =>
      log({ kind: 'call', atNs, returnedNs: clock.now(), side, call, socket: this.number, args, result });
    try {
      const pending = step();
      const value = pending instanceof Promise ? await pending : pending;
      record(outcome(value));
      return value;
    } catch (error) {
      if (error instanceof SocketError) record({ kind: 'error', errno: error.errno });
      if (error instanceof WaitTimeout) record({ kind: 'timeout', withinMs: error.withinMs });
      throw error;
    }
  }

  /** Repeats an attempt that gives undefined for "not now", whenever one of the epoll events comes, within a limit. */
  async retry<T>(
    call: string,
    wait: { events: number; withinMs: number; detail?: () => string },
    attempt: (fd: number) => T | undefined,
  ): Promise<T> {
    const untilNs = this.#context.clock.now() + wait.withinMs * NANOS_PER_MS;
    for (;;) {
      const value = attempt(this.fd(call));
      if (value !== undefined) return value;
      const wake = await this.#context.readiness.wait(this.fd(call), wait.events, untilNs);
      if (wake === 'closed') throw new SocketError('EBADF', call, 'this socket was closed meanwhile');
      if (wake === 'ready') continue;
      // On a busy machine the timer may be served before an event that came earlier: look once more.
      const last = attempt(this.fd(call));
      if (last !== undefined) return last;
      throw new WaitTimeout(call, wait.withinMs, wait.detail?.());
    }
  }

  async setOption(name: string, value: number | string): Promise<void> {
    const option = socketOption(name);
    const bytes = encodeOption(option, value);
    await this.call(
      'setOption',
      { name, value },
      () => {
        const fd = this.fd('setsockopt');
        return checked(
          libc.setsockopt(fd, option.level, option.number, bytes, bytes.length),
          'setsockopt',
          name,
        );
      },
      () => ({ kind: 'ok' }),
    );
  }

  async setOptions(options: SocketOptions = {}): Promise<void> {
    for (const [name, value] of Object.entries(options)) await this.setOption(name, value);
  }

  async getOption(name: string): Promise<number> {
    const value = await this.#option(socketOption(name));
    if (typeof value === 'number') return value;
    throw new RangeError(`${name} is no number: read it with getTextOption`);
  }

  async getTextOption(name: string): Promise<string> {
    const value = await this.#option(socketOption(name));
    if (typeof value === 'string') return value;
    throw new RangeError(`${name} is a number: read it with getOption`);
  }

  #option(option: SocketOption): Promise<number | string> {
    return this.call(
      'getOption',
      { name: option.name },
      () => decodeOption(option, this.rawOption(option)),
      (value) => ({ kind: 'ok', value }),
    );
  }

  /** The octets of an option, as many as the kernel gives. */
  rawOption(option: Pick<SocketOption, 'level' | 'number' | 'name'>): Uint8Array {
    const bytes = new Uint8Array(OPTION_OCTETS);
    const size = new Uint8Array(4);
    const view = new DataView(size.buffer);
    view.setUint32(0, bytes.length, true);
    const fd = this.fd('getsockopt');
    checked(libc.getsockopt(fd, option.level, option.number, bytes, size), 'getsockopt', option.name);
    return bytes.subarray(0, view.getUint32(0, true));
  }

  /** The local address, as the kernel has it now. */
  localAddress(): Address {
    const address = new Uint8Array(SOCKADDR_OCTETS);
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, address.length, true);
    checked(libc.getsockname(this.fd('getsockname'), address, size), 'getsockname');
    return decodeSockaddr(address);
  }

  /** An ioctl(2) that answers with an int. */
  queue(request: number, call: string): number {
    const answer = new Uint8Array(4);
    checked(libc.ioctl(this.fd(call), request, answer), call);
    return new DataView(answer.buffer).getInt32(0, true);
  }

  /** The poll(2) events of the moment; its bits are those of epoll(7). */
  pollNow(events: number): number {
    const pollfd = new Uint8Array(8);
    const view = new DataView(pollfd.buffer);
    view.setInt32(0, this.fd('poll'), true);
    view.setUint16(4, events, true);
    checked(libc.poll(pollfd, 1, 0), 'poll');
    return view.getUint16(6, true);
  }

  /** close(2), logged. */
  close(): Promise<void> {
    return this.call(
      'close',
      {},
      () => {
        const fd = this.#release('close');
        return this.#lingers(fd) ? libc.closeOnThread(fd) : void libc.close(fd);
      },
      () => ({ kind: 'ok' }),
    );
  }

  /** Linger 0 and close(2): what is unsent is thrown away and a RST goes out. */
  abort(): Promise<void> {
    return this.call(
      'abort',
      {},
      () => {
        this.#setLinger(this.fd('abort'), 0);
        libc.close(this.#release('abort'));
      },
      () => ({ kind: 'ok' }),
    );
  }

  /** Frees the descriptor without waiting for a linger time and without a word in the log. */
  dispose(): void {
    if (this.#fd === undefined) return;
    const fd = this.#release('close');
    if (this.#lingers(fd)) this.#setLinger(fd, -1);
    libc.close(fd);
  }

  #release(call: string): number {
    const fd = this.fd(call);
    this.#context.readiness.forget(fd);
    this.#fd = undefined;
    this.#onClosed();
    return fd;
  }

  #lingers(fd: number): boolean {
    const value = new Uint8Array(8);
    const size = Uint8Array.of(value.length, 0, 0, 0);
    checked(libc.getsockopt(fd, LINGER.level, LINGER.number, value, size), 'getsockopt', LINGER.name);
    return Number(decodeOption(LINGER, value)) > 0;
  }

  #setLinger(fd: number, seconds: number): void {
    const value = encodeOption(LINGER, seconds);
    checked(libc.setsockopt(fd, LINGER.level, LINGER.number, value, value.length), 'setsockopt', LINGER.name);
  }
}
