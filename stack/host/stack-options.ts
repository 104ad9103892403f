/** What a stack is made of and told: its clock and packets, and the options of its calls. */
import type { SeqNumber } from '../../harness/segment/index.js';
import type { SocketAddress, TcpSettings, TcpState } from '../tcp/index.js';

export interface StackTimer {
  cancel(): void;
}

/** Nanoseconds that never go back. */
export interface StackClock {
  now(): number;
  at(atNs: number, action: () => void): StackTimer;
}

export interface TcpStackOptions {
  readonly clock: StackClock;
  /** Octets that nobody can guess: keys, and the choice of ports. */
  readonly randomBytes: (octets: number) => Uint8Array;
  /**
   * Takes each IP packet that leaves. It must not call `input` of this stack before it returns. `segmentOctets`: the packet holds several
   * segments of so much data each, the last one less; 0: it is one.
   */
  readonly output: (packet: Uint8Array, segmentOctets: number) => void;
  /** Memory that packets are made in, one over the other: `output` must be done with each when it returns. Absent: each has its own. */
  readonly packetMemory?: Uint8Array;
  /** The largest packet of several segments that `output` takes, whose checksums it completes; default 0: it takes none, and whole ones. */
  readonly offloadOctets?: number;
  /** The host's own addresses. */
  readonly addresses: readonly string[];
  /** Of the link, in octets of IP packet. */
  readonly mtu?: number;
  readonly settings?: Partial<TcpSettings>;
  /** Ports for connections that ask for none (RFC 6056); default 32768 to 60999. */
  readonly ports?: PortRange;
  /** `flood` (default): SYN cookies when a listener's backlog is full; `always`; `never`: SYNs are dropped then. */
  readonly synCookies?: 'flood' | 'always' | 'never';
  /** Instead of those that RFC 6528 and RFC 7323 draw, which nobody can guess: for simulations near the wrap of 32 bits. */
  readonly initialNumbers?: (local: SocketAddress, remote: SocketAddress) => InitialNumbers;
  /**
   * Negative advice of RFC 9293 section 3.8.3: what goes to this address is not acknowledged, again and again; another way may be better.
   */
  readonly advise?: (advice: { readonly remote: SocketAddress; readonly retries: number }) => void;
  /** Told of each change of state, in order. */
  readonly observe?: (change: StateChange) => void;
}

export interface InitialNumbers {
  readonly iss: SeqNumber;
  /** Where timestamps begin. */
  readonly tsOffset: number;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface StateChange {
  readonly atNs: number;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly from: TcpState;
  readonly to: TcpState;
  /** In TIME-WAIT: how long it will last, in ns; `from` and `to` are TIME-WAIT when it was started anew. */
  readonly remainsNs?: number;
}

export interface ConnectOptions {
  /** Default: the host's first address of the version, and a free port. */
  readonly from?: Partial<SocketAddress>;
  readonly settings?: Partial<TcpSettings>;
  /** Fast Open (RFC 7413): travels on the SYN where the server has given a cookie, and behind the handshake else. */
  readonly data?: Uint8Array;
  readonly fastOpen?: boolean;
}

export interface ListenOptions {
  /** Default: the unspecified address of the host's first address's version: all of the host's. */
  readonly ip?: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  readonly backlog?: number;
  readonly settings?: Partial<TcpSettings>;
  /** Takes data on SYNs with a cookie, and gives cookies out. */
  readonly fastOpen?: boolean;
}

/** No port, no route, no such address: what a call can be refused for, by the names that programs know. */
export class StackError extends Error {
  override readonly name = 'StackError';
  constructor(
    readonly code: 'EADDRINUSE' | 'EADDRNOTAVAIL' | 'ENETUNREACH' | 'EINVAL',
    message: string,
  ) {
    super(message);
  }
}
