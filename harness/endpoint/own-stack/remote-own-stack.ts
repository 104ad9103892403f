/** The asking side of socket calls between threads: drives sockets of a host that is on another thread. */
import type { Address, PollEvents, Received, SocketState } from '../endpoint.js';
import { SocketError } from '../endpoint.js';
import type { Accepted, MessageOptions, Queues, SocketDriver, StackDriver } from '../socket-driver.js';
import type { SocketOption } from '../socket-options.js';
import type { TcpInfo } from '../tcp-info.js';
import type { TcpState } from '../tcp-state.js';
import { type Method, type OwnAnswer, type OwnCall, resultOf } from './own-call.js';

/** Carries a call over; calls arrive in the order in which they were made. */
export type AskOwn = (call: OwnCall) => Promise<OwnAnswer>;

export class RemoteOwnStack implements StackDriver {
  readonly #ask: AskOwn;
  #made = 0;

  constructor(ask: AskOwn) {
    this.#ask = ask;
  }

  async socket(): Promise<SocketDriver> {
    this.#made += 1;
    const socket = this.#made;
    resultOf(await this.#ask({ kind: 'make', socket }));
    return new RemoteOwnSocket(this.#ask, socket);
  }

  async sockets(): Promise<readonly SocketState[]> {
    // The other thread answers each call with its own kind of value.
    return resultOf(await this.#ask({ kind: 'sockets' })) as readonly SocketState[];
  }

  async end(open: readonly SocketDriver[]): Promise<void> {
    for (const socket of open) await socket.dispose();
  }
}

type Result<M extends Method> = Awaited<ReturnType<SocketDriver[M]>>;

class RemoteOwnSocket implements SocketDriver {
  readonly #ask: AskOwn;
  readonly #socket: number;
  #isOver = false;

  constructor(ask: AskOwn, socket: number) {
    this.#ask = ask;
    this.#socket = socket;
  }

  async #call<M extends Method>(
    method: M,
    call: string,
    ...args: Parameters<SocketDriver[M]>
  ): Promise<Result<M>> {
    if (this.#isOver) throw new SocketError('EBADF', call, 'this socket has been closed');
    if (method === 'close' || method === 'abort' || method === 'dispose') this.#isOver = true;
    const answer = await this.#ask({ kind: 'call', socket: this.#socket, method, args });
    return resultOf(answer) as Result<M>;
  }

  bind(at: Address): Promise<void> {
    return this.#call('bind', 'bind', at);
  }

  listen(at: Address, backlog: number): Promise<Address> {
    return this.#call('listen', 'listen', at, backlog);
  }

  connect(to: Address, withinMs: number): Promise<void> {
    return this.#call('connect', 'connect', to, withinMs);
  }

  localAddress(): Promise<Address> {
    return this.#call('localAddress', 'getsockname');
  }

  async accept(withinMs: number): Promise<Accepted> {
    const accepted: unknown = await this.#call('accept', 'accept', withinMs);
    const { socket, local, remote } = accepted as { socket: number; local: Address; remote: Address };
    return { driver: new RemoteOwnSocket(this.#ask, socket), local, remote };
  }

  send(octets: Uint8Array, options: MessageOptions): Promise<number> {
    return this.#call('send', 'send', octets, options);
  }

  receive(most: number, options: MessageOptions): Promise<Received> {
    return this.#call('receive', 'receive', most, options);
  }

  shutdown(how: 'read' | 'write' | 'both'): Promise<void> {
    return this.#call('shutdown', 'shutdown', how);
  }

  setOption(option: SocketOption, value: number | string): Promise<void> {
    return this.#call('setOption', 'setsockopt', option, value);
  }

  getOption(option: SocketOption): Promise<number | string> {
    return this.#call('getOption', 'getsockopt', option);
  }

  info(): Promise<TcpInfo> {
    return this.#call('info', 'getsockopt');
  }

  state(): Promise<TcpState> {
    return this.#call('state', 'getsockopt');
  }

  queues(): Promise<Queues> {
    return this.#call('queues', 'ioctl(SIOCINQ)');
  }

  isAtUrgentMark(): Promise<boolean> {
    return this.#call('isAtUrgentMark', 'ioctl(SIOCATMARK)');
  }

  takeError(): Promise<string | undefined> {
    return this.#call('takeError', 'getsockopt');
  }

  poll(): Promise<PollEvents> {
    return this.#call('poll', 'poll');
  }

  close(): Promise<void> {
    return this.#call('close', 'close');
  }

  abort(): Promise<void> {
    return this.#call('abort', 'abort');
  }

  async dispose(): Promise<void> {
    // Whatever goes wrong here, it is gone, or its thread with it.
    if (!this.#isOver) await this.#call('dispose', 'close').catch(() => {});
  }
}
