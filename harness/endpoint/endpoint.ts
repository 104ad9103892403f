/**
 * One TCP implementation under test, driven through the socket API. Every call is asynchronous, so that an endpoint
 * may live in this process, behind an agent's protocol, or in virtual time.
 *
 * A call that the implementation refuses rejects with `SocketError`; one that it does not have, with `Unsupported`; one
 * that the harness stops waiting for, with `WaitTimeout`.
 */
import type { Side } from '../fault/index.js';
import type { TcpInfo } from './tcp-info.js';
import type { TcpState } from './tcp-state.js';

export interface Address {
  readonly ip: string;
  readonly port: number;
}

export interface Endpoint extends AsyncDisposable {
  readonly side: Side;
  /** `stack@version`, such as `linux@6.12`. */
  readonly stack: string;
  /** The address it has on the wire, for each IP version that the lab has. */
  readonly ip: string;
  /** Open passively (RFC 9293 section 3.10.1). `ip` defaults to the endpoint's own address; `port` 0 picks a free one. */
  listen(options?: {
    ip?: string;
    port?: number;
    backlog?: number;
    options?: SocketOptions;
  }): Promise<Listener>;
  /** Open actively and return at once; `Connection.established` tells how it went. */
  open(to: Address, options?: OpenOptions): Promise<Connection>;
  /** Open actively and wait until established; rejects with ECONNREFUSED, ETIMEDOUT, … */
  connect(to: Address, options?: OpenOptions): Promise<Connection>;
  /** The states of all its sockets, TIME-WAIT ones included, as its own eyes report them. */
  sockets(): Promise<readonly SocketState[]>;
}

export interface OpenOptions {
  /** Local port to connect from; 0 or absent: the stack's choice. */
  readonly fromPort?: number;
  /** Set on the socket before it connects. */
  readonly options?: SocketOptions;
  /** How long the harness waits for the opening (default 150 s: longer than Linux, which gives up after 127 s). */
  readonly withinMs?: number;
}

/** Socket options by their C names: `{ TCP_NODELAY: 1, SO_RCVBUF: 4096, TCP_CONGESTION: 'reno' }`. */
export type SocketOptions = Readonly<Record<string, number | string>>;

export interface SocketState {
  readonly local: Address;
  readonly remote: Address;
  readonly state: TcpState;
  /** The timer that is running, and what remains of it in milliseconds. */
  readonly timer?: {
    readonly name: 'retransmit' | 'keep-alive' | 'time-wait' | 'probe';
    readonly remainsMs: number;
    readonly retransmits: number;
  };
  readonly recvQueueOctets: number;
  readonly sendQueueOctets: number;
  /** Identity of the socket within its stack, stable over its life where the stack has one. */
  readonly cookie?: string;
}

export interface Listener extends AsyncDisposable {
  readonly local: Address;
  /** The next established connection; rejects with `WaitTimeout` after `withinMs` (default 10 s). */
  accept(options?: { withinMs?: number }): Promise<Connection>;
  setOption(name: string, value: number | string): Promise<void>;
  /** SO_LINGER in seconds, -1 when it is off. */
  getOption(name: string): Promise<number>;
  /** Options that are names, such as TCP_CONGESTION, and octets in hexadecimal, such as TCP_SAVED_SYN. */
  getTextOption(name: string): Promise<string>;
  close(): Promise<void>;
}

/** What a receive call found. The end of the stream (FIN) is a value; a reset is a `SocketError` ECONNRESET (MUST-12). */
export type Received = { readonly kind: 'data'; readonly data: Uint8Array } | { readonly kind: 'end' };

export type MessageFlag = 'OOB' | 'PEEK' | 'DONTWAIT' | 'MORE';

export interface PollEvents {
  readonly readable: boolean;
  readonly writable: boolean;
  /** POLLPRI: urgent data. */
  readonly urgent: boolean;
  /** POLLRDHUP: the other side will send no more. */
  readonly peerClosed: boolean;
  /** POLLHUP: both directions are shut. */
  readonly hungUp: boolean;
  readonly error: boolean;
}

export interface Connection extends AsyncDisposable {
  readonly local: Address;
  readonly remote: Address;
  /** Settles when the opening does. Already resolved for accepted connections. */
  readonly established: Promise<void>;
  /**
   * Octets taken by the stack: all of them, unless DONTWAIT or `withinMs` (default 10 s) came between. Waits while the send
   * buffer is full; rejects with `WaitTimeout` when not one octet was taken.
   */
  send(
    data: Uint8Array | string,
    options?: { flags?: readonly MessageFlag[]; withinMs?: number },
  ): Promise<number>;
  /** One receive call: at most `max` octets (default 65536). Waits for data, the end or an error at most `withinMs` (default 10 s). */
  receive(options?: { max?: number; flags?: readonly MessageFlag[]; withinMs?: number }): Promise<Received>;
  /** Receives until `octets` have come (without `octets`: for ever) or the stream ends, at most `withinMs` (default 10 s). */
  receiveAll(options?: { octets?: number; withinMs?: number }): Promise<{ data: Uint8Array; ended: boolean }>;
  shutdown(how: 'read' | 'write' | 'both'): Promise<void>;
  /** close(2). */
  close(): Promise<void>;
  /** Linger 0 and close: ABORT of RFC 9293 section 3.10.5. */
  abort(): Promise<void>;
  setOption(name: string, value: number | string): Promise<void>;
  /** SO_LINGER in seconds, -1 when it is off. */
  getOption(name: string): Promise<number>;
  /** Options that are names, such as TCP_CONGESTION, and octets in hexadecimal, such as TCP_SAVED_SYN. */
  getTextOption(name: string): Promise<string>;
  info(): Promise<TcpInfo>;
  state(): Promise<TcpState>;
  /** SIOCINQ, SIOCOUTQ and SIOCOUTQNSD. */
  queues(): Promise<{ recvOctets: number; sendOctets: number; unsentOctets: number }>;
  /** SIOCATMARK: the next octet to be received is the one that urgent data stood at. */
  atUrgentMark(): Promise<boolean>;
  /** SO_ERROR: reading it clears it. */
  error(): Promise<string | undefined>;
  poll(): Promise<PollEvents>;
}

/** An errno from the stack: an expected outcome, with the call that met it. */
export class SocketError extends Error {
  override readonly name = 'SocketError';
  constructor(
    /** The errno's name, such as ECONNRESET. */
    readonly errno: string,
    /** The call, such as `connect`. */
    readonly call: string,
    /** More of it, in words. */
    readonly detail?: string,
  ) {
    super(`${call}: ${errno}${detail === undefined ? '' : ` (${detail})`}`);
  }
}

/** The harness stopped waiting. Says nothing about the stack, whose own time-out is a `SocketError` ETIMEDOUT. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
  constructor(
    /** The call that was waiting, such as `accept`. */
    readonly call: string,
    readonly withinMs: number,
    detail?: string,
  ) {
    super(`${call}: nothing came of it within ${withinMs} ms${detail === undefined ? '' : ` (${detail})`}`);
  }
}

/** The endpoint says that it cannot do this: the verdict is `unsupported`, not `fail`. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}
