/**
 * What a driver of TCP sockets does, bare: one socket call each, without a word in the log. `SocketEndpoint` and what it gives out
 * make of it an `Endpoint` whose calls are recorded alike, whoever drives.
 *
 * All throw or reject with `SocketError`, `WaitTimeout` or `Unsupported`, and with EBADF once the socket is closed.
 */
import type { Address, MessageFlag, PollEvents, Received } from './endpoint.js';
import type { SocketOption } from './socket-options.js';
import type { TcpInfo } from './tcp-info.js';
import type { TcpState } from './tcp-state.js';

/** Now, or later. */
export type Outcome<T> = T | Promise<T>;

export interface StackDriver {
  socket(): Outcome<SocketDriver>;
  /** Frees the sockets that are still open, and all else. */
  end(open: readonly SocketDriver[]): Outcome<void>;
}

export interface Accepted {
  readonly driver: SocketDriver;
  readonly local: Address;
  readonly remote: Address;
}

export interface Queues {
  readonly recvOctets: number;
  readonly sendOctets: number;
  readonly unsentOctets: number;
}

export interface MessageOptions {
  readonly flags: readonly MessageFlag[];
  readonly withinMs: number;
}

export interface SocketDriver {
  bind(at: Address): Outcome<void>;
  /** Binds and listens; the local address. */
  listen(at: Address, backlog: number): Outcome<Address>;
  /** Begins at once, and resolves when established. */
  connect(to: Address, withinMs: number): Promise<void>;
  /** As it is now; during an opening, as soon as that has begun. */
  localAddress(): Outcome<Address>;
  accept(withinMs: number): Outcome<Accepted>;
  /** Octets taken: all, unless DONTWAIT or the limit came between. */
  send(octets: Uint8Array, options: MessageOptions): Outcome<number>;
  receive(most: number, options: MessageOptions): Outcome<Received>;
  shutdown(how: 'read' | 'write' | 'both'): Outcome<void>;
  /** The value fits the option: it was checked. */
  setOption(option: SocketOption, value: number | string): Outcome<void>;
  getOption(option: SocketOption): Outcome<number | string>;
  info(): Outcome<TcpInfo>;
  state(): Outcome<TcpState>;
  queues(): Outcome<Queues>;
  isAtUrgentMark(): Outcome<boolean>;
  /** SO_ERROR by its name. */
  takeError(): Outcome<string | undefined>;
  poll(): Outcome<PollEvents>;
  close(): Outcome<void>;
  abort(): Outcome<void>;
  /** Closes without waiting for a linger time, if it is still open. Never fails. */
  dispose(): Outcome<void>;
}
