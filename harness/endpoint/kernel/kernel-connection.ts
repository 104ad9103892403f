/** A TCP connection of the kernel, through the socket API. */
import { NANOS_PER_MS } from '../../clock/index.js';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
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
} from '../../sys/index.js';
import type { Address, Connection, MessageFlag, PollEvents, Received } from '../endpoint.js';
import { SocketError, WaitTimeout } from '../endpoint.js';
import { decodeTcpInfo, type TcpInfo } from '../tcp-info.js';
import type { TcpState } from '../tcp-state.js';
import { checked, checkedOrLater, type KernelContext, type KernelSocket } from './kernel-socket.js';

const WITHIN_MS = 10_000;
const RECEIVE_OCTETS = 65536;
const TCP_INFO = { name: 'TCP_INFO', level: IPPROTO_TCP, number: 11 } as const;
const SO_ERROR = { name: 'SO_ERROR', level: 1, number: 4 } as const;
const HOW = { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR } as const;
const FLAGS: Readonly<Record<MessageFlag, number>> = {
  OOB: MSG_OOB,
  PEEK: MSG_PEEK,
  DONTWAIT: MSG_DONTWAIT,
  MORE: MSG_MORE,
};

/** SO_ERROR by its name, undefined for none. Reading it clears it. */
export function takeError(socket: KernelSocket): string | undefined {
  const bytes = socket.rawOption(SO_ERROR);
  const errno = new DataView(bytes.buffer).getInt32(0, true);
  return errno === 0 ? undefined : errnoName(errno);
}

const flagArgs = (flags: readonly MessageFlag[]) => (flags.length === 0 ? {} : { flags: flags.join(' ') });
const flagBits = (flags: readonly MessageFlag[]) => flags.reduce((bits, flag) => bits | FLAGS[flag], 0);

export class KernelConnection implements Connection {
  readonly #context: KernelContext;
  readonly #socket: KernelSocket;
  readonly local: Address;
  readonly remote: Address;
  readonly established: Promise<void>;

  constructor(
    context: KernelContext,
    socket: KernelSocket,
    ends: { local: Address; remote: Address },
    established: Promise<void>,
  ) {
    this.#context = context;
    this.#socket = socket;
    this.local = ends.local;
    this.remote = ends.remote;
    this.established = established;
    // Whoever asks gets the rejection; a scenario that does not ask must not die of it.
    established.catch(() => {});
  }

  send(
    data: Uint8Array | string,
    { flags = [], withinMs = WITHIN_MS }: { flags?: readonly MessageFlag[]; withinMs?: number } = {},
  ): Promise<number> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const bits = flagBits(flags) | MSG_NOSIGNAL;
    let sent = 0;
    const more = (fd: number): number | undefined => {
      for (;;) {
        const octets = checkedOrLater(libc.send(fd, bytes.subarray(sent), bytes.length - sent, bits), 'send');
        sent += octets ?? 0;
        if (sent === bytes.length) return sent;
        if (octets !== undefined) continue;
        if (!flags.includes('DONTWAIT')) return undefined;
        if (sent === 0) throw new SocketError('EAGAIN', 'send');
        return sent;
      }
    };
    return this.#socket.call(
      'send',
      { octets: bytes.length, ...flagArgs(flags) },
      async () => {
        try {
          return await this.#socket.retry('send', { events: EPOLLOUT, withinMs }, more);
        } catch (error) {
          // As with SO_SNDTIMEO: what has been taken is the result.
          if (error instanceof WaitTimeout && sent > 0) return sent;
          throw error;
        }
      },
      (octets) => ({ kind: 'ok', value: octets }),
    );
  }

  async receive({
    max = RECEIVE_OCTETS,
    flags = [],
    withinMs = WITHIN_MS,
  }: {
    max?: number;
    flags?: readonly MessageFlag[];
    withinMs?: number;
  } = {}): Promise<Received> {
    if (!(max >= 1)) throw new RangeError(`receive: max is ${max}, and at least 1 octet must be asked for`);
    const buffer = new Uint8Array(max);
    const bits = flagBits(flags);
    // Urgent data comes with EPOLLPRI; after a FIN none can come.
    const events = flags.includes('OOB') ? EPOLLPRI | EPOLLRDHUP : EPOLLIN | EPOLLRDHUP;
    let isFirst = true;
    return this.#socket.call(
      'receive',
      { max, ...flagArgs(flags) },
      () =>
        this.#socket.retry<Received>('receive', { events, withinMs }, (fd) => {
          const octets = this.#receiveOnce(fd, buffer, bits, isFirst);
          isFirst = false;
          if (octets === undefined) return undefined;
          return octets === 0 ? { kind: 'end' } : { kind: 'data', data: buffer.slice(0, octets) };
        }),
      (received) =>
        received.kind === 'end' ? { kind: 'end' } : { kind: 'data', octets: received.data.length },
    );
  }

  /** EINVAL for MSG_OOB says that no urgent data has come (tcp_recv_urg): worth waiting for, once. */
  #receiveOnce(fd: number, buffer: Uint8Array, bits: number, isFirst: boolean): number | undefined {
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

  async receiveAll({
    octets = Number.POSITIVE_INFINITY,
    withinMs = WITHIN_MS,
  }: {
    octets?: number;
    withinMs?: number;
  } = {}): Promise<{ data: Uint8Array; ended: boolean }> {
    const untilNs = this.#context.clock.now() + withinMs * NANOS_PER_MS;
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < octets) {
      const remainsMs = Math.max(0, (untilNs - this.#context.clock.now()) / NANOS_PER_MS);
      const received = await this.receive({
        max: Math.min(octets - got, RECEIVE_OCTETS),
        withinMs: remainsMs,
      }).catch((error: unknown) => {
        if (!(error instanceof WaitTimeout)) throw error;
        const wanted = Number.isFinite(octets) ? `${octets} octets` : 'the end of the stream';
        throw new WaitTimeout('receiveAll', withinMs, `${got} octets came while waiting for ${wanted}`);
      });
      if (received.kind === 'end') return { data: Buffer.concat(parts), ended: true };
      parts.push(received.data);
      got += received.data.length;
    }
    return { data: Buffer.concat(parts), ended: false };
  }

  shutdown(how: 'read' | 'write' | 'both'): Promise<void> {
    return this.#socket.call(
      'shutdown',
      { how },
      () => void checked(libc.shutdown(this.#socket.fd('shutdown'), HOW[how]), 'shutdown'),
      () => ({ kind: 'ok' }),
    );
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  abort(): Promise<void> {
    return this.#socket.abort();
  }

  setOption(name: string, value: number | string): Promise<void> {
    return this.#socket.setOption(name, value);
  }

  getOption(name: string): Promise<number> {
    return this.#socket.getOption(name);
  }

  getTextOption(name: string): Promise<string> {
    return this.#socket.getTextOption(name);
  }

  info(): Promise<TcpInfo> {
    return this.#info('info');
  }

  async state(): Promise<TcpState> {
    return (await this.#info('state')).state;
  }

  #info(call: string): Promise<TcpInfo> {
    return this.#socket.call(
      call,
      {},
      () => decodeTcpInfo(this.#socket.rawOption(TCP_INFO), this.#context.release),
      (info) => ({ kind: 'ok', value: info.state }),
    );
  }

  queues(): Promise<{ recvOctets: number; sendOctets: number; unsentOctets: number }> {
    return this.#socket.call(
      'queues',
      {},
      () => ({
        recvOctets: this.#socket.queue(SIOCINQ, 'ioctl(SIOCINQ)'),
        sendOctets: this.#socket.queue(SIOCOUTQ, 'ioctl(SIOCOUTQ)'),
        unsentOctets: this.#socket.queue(SIOCOUTQNSD, 'ioctl(SIOCOUTQNSD)'),
      }),
      (queues) => ({
        kind: 'ok',
        value: `receive ${queues.recvOctets}, send ${queues.sendOctets}, unsent ${queues.unsentOctets}`,
      }),
    );
  }

  atUrgentMark(): Promise<boolean> {
    return this.#socket.call(
      'atUrgentMark',
      {},
      () => this.#socket.queue(SIOCATMARK, 'ioctl(SIOCATMARK)') !== 0,
      (value) => ({ kind: 'ok', value: value ? 1 : 0 }),
    );
  }

  error(): Promise<string | undefined> {
    return this.#socket.call(
      'error',
      {},
      () => takeError(this.#socket),
      (value) => ({ kind: 'ok', value: value ?? 'none' }),
    );
  }

  poll(): Promise<PollEvents> {
    return this.#socket.call(
      'poll',
      {},
      () => this.#poll(),
      (events) => ({
        kind: 'ok',
        value: Object.entries(events)
          .filter(([, isSet]) => isSet)
          .map(([name]) => name)
          .join(' '),
      }),
    );
  }

  #poll(): PollEvents {
    const events = this.#socket.pollNow(EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP);
    return {
      readable: (events & EPOLLIN) !== 0,
      writable: (events & EPOLLOUT) !== 0,
      urgent: (events & EPOLLPRI) !== 0,
      peerClosed: (events & EPOLLRDHUP) !== 0,
      hungUp: (events & EPOLLHUP) !== 0,
      error: (events & EPOLLERR) !== 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.dispose();
  }
}
