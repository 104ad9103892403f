/**
 * A stack whose calls never wait: an attempt that cannot succeed yet gives undefined, and `onChange` tells when another may go otherwise.
 * Whoever waits (`WaitingSocket`, the agent's server) is above it.
 *
 * Calls throw `SocketError` or `Unsupported`, and EBADF once the socket is closed.
 */
import type { Nanos } from '../clock/index.js';
import type { Address, PollEvents, Received, SocketState } from './endpoint.js';
import type { Queues } from './socket-driver.js';
import type { SocketOption } from './socket-options.js';
import type { TcpInfo } from './tcp-info.js';
import type { TcpState } from './tcp-state.js';

export interface PolledStack {
  /** `stack@version`. */
  readonly name: string;
  /** A socket, fresh. */
  socket(ipVersion: 4 | 6): PolledSocket;
  sockets(): readonly SocketState[];
  /** Has somebody told of each change of state of all its connections, at its instant. */
  observe(tell: (change: StackTransition) => void): void;
}

/** `from` and `to` are TIME-WAIT when that was started anew. */
export interface StackTransition {
  /** On the stack's clock. */
  readonly atNs: Nanos;
  readonly local: Address;
  readonly remote: Address;
  readonly from: TcpState;
  readonly to: TcpState;
  /** In TIME-WAIT: how long it will last. */
  readonly remainsNs?: number;
}

export interface PolledAccepted {
  readonly socket: PolledSocket;
  readonly local: Address;
  readonly remote: Address;
}

/** A close with a linger time (SO_LINGER) that is not over: `onChange` tells when it may be. */
export interface Lingering {
  readonly mostMs: number;
  isOver(): boolean;
}

export interface PolledSocket {
  /** Has somebody told whenever something has happened to the socket, after the segments that it caused have left. */
  onChange(changed: () => void): void;
  bind(at: Address): void;
  /** Binds and listens; the local address. */
  listen(at: Address, backlog: number): Address;
  /** Begins. */
  connect(to: Address): void;
  /** The opening is over: true, or the reason why it failed is thrown, once. */
  established(): true | undefined;
  localAddress(): Address;
  tryAccept(): PolledAccepted | undefined;
  /** Octets taken, fewer than given when the buffer is full; undefined: not one, for now. */
  trySend(
    octets: Uint8Array,
    options: { readonly isUrgent: boolean; readonly hasMore: boolean },
  ): number | undefined;
  /** `mayWait` false: EAGAIN, or EINVAL for urgent data, is thrown where undefined would be given. */
  tryReceive(most: number, options: ReceiveAttempt): Received | undefined;
  shutdown(how: 'read' | 'write' | 'both'): void;
  setOption(option: SocketOption, value: number | string): void;
  getOption(option: SocketOption): number | string;
  info(): TcpInfo;
  state(): TcpState;
  queues(): Queues;
  isAtUrgentMark(): boolean;
  /** SO_ERROR by its name; it stays pending. */
  readonly pendingError: string | undefined;
  /** The same, and clears it. */
  takeError(): string | undefined;
  poll(): PollEvents;
  /** Undefined: it is over. */
  close(): Lingering | undefined;
  abort(): void;
  /** Closes without a linger time, if it is still open. Never fails. */
  dispose(): void;
}

export interface ReceiveAttempt {
  readonly isUrgent: boolean;
  readonly isPeek: boolean;
  readonly mayWait: boolean;
}
