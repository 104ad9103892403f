/**
 * sock_diag: the kernel's list of TCP sockets of a network namespace, over netlink, for anybody. It sees what the
 * socket API cannot: request sockets, orphans and TIME-WAIT ones, with their timers. Layouts: uapi/linux/inet_diag.h.
 */
import { isIPv6 } from 'node:net';
import { type Address, type SocketState, tcpStateFromLinux } from '../endpoint/index.js';
import { ipv4Bytes, ipv4Text, ipv6Bytes, ipv6Text } from '../segment/index.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  NETLINK_SOCK_DIAG,
  type NetlinkMessage,
  type NetlinkRequest,
  NetlinkSocket,
  NLM_F_DUMP,
  parseAttributes,
  SysError,
} from '../sys/index.js';

const SOCK_DIAG_BY_FAMILY = 20;
const INET_DIAG_INFO = 2;
const INET_DIAG_SHUTDOWN = 8;
const INET_DIAG_NOCOOKIE = 0xffffffff;
const REQUEST_OCTETS = 56;
const MESSAGE_OCTETS = 72;
/** SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY (groups 1 and 3) as a bind mask. */
const DESTROY_GROUPS = 0b101;
/** States 1 to 12. Not TCP_BOUND_INACTIVE (13): bound and neither listening nor connecting is CLOSED to the RFC. */
const ALL_STATES = 0x1ffe;
/** By `idiag_timer` (net/ipv4/inet_diag.c); a request socket's SYN,ACK timer reads as `retransmit`. */
const TIMERS = [undefined, 'retransmit', 'keep-alive', 'time-wait', 'probe'] as const;
const TIMER_TIME_WAIT = 3;

/**
 * What holds the connection in the kernel: a full socket; a request socket (SYN-RECEIVED before the third segment);
 * or a mini socket, which holds TIME-WAIT and, for orphans, the last part of FIN-WAIT-2.
 */
export type SocketHolder = 'full' | 'request' | 'mini';

export interface DiagSocket extends SocketState {
  readonly holder: SocketHolder;
  /** Copied from request to full to mini socket: one cookie is one connection. Never reused while the kernel runs. */
  readonly cookie: string;
  /** 0 once nobody has the socket open, and for request and mini sockets. */
  readonly inode: number;
  /** `struct tcp_info`, where it was asked for and the socket is a full one. */
  readonly info?: Uint8Array;
}

/** The two ends of a connection, seen from one of them. */
export interface Pair {
  readonly local: Address;
  readonly remote: Address;
}

/** Asks for the TCP sockets of one network namespace. Synchronous: the kernel answers within the call. */
export class SockDiag implements Disposable {
  readonly #netlink: NetlinkSocket;

  /** For the namespace that the calling thread is in: make it inside `NetworkNamespace.run`. */
  constructor() {
    this.#netlink = new NetlinkSocket(NETLINK_SOCK_DIAG);
  }

  /**
   * All sockets of a family; with `info`, with their `struct tcp_info`. The kernel walks its whole table, which all
   * namespaces share: about 0.2 ms where it has 262144 buckets. `find` costs a thirtieth of that.
   */
  dump(options: { readonly ipVersion: 4 | 6; readonly info?: boolean }): DiagSocket[] {
    return this.#netlink.request(dumpRequest(options)).flatMap(decodeDiagMessage);
  }

  /**
   * The socket that a segment from `remote` to `local` would find: the connection's own, whatever holds it, or else
   * the one that listens there, or else none.
   */
  find(pair: Pair | PairQuery, options: { readonly info?: boolean } = {}): DiagSocket | undefined {
    const query = pair instanceof PairQuery ? pair : new PairQuery(pair, options);
    try {
      const [answer] = this.#netlink.request(findRequest(query));
      return answer === undefined ? undefined : decodeDiagMessage(answer)[0];
    } catch (error) {
      if (error instanceof SysError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }
}

/** The question for one pair, for those who ask it often. */
export class PairQuery {
  readonly octets: Uint8Array;

  constructor({ local, remote }: Pair, options: { readonly info?: boolean } = {}) {
    this.octets = diagRequest(isIPv6(local.ip) ? 6 : 4, options.info ?? false);
    const view = new DataView(this.octets.buffer);
    view.setUint16(8, local.port);
    view.setUint16(10, remote.port);
    this.octets.set(addressBytes(local.ip), 12);
    this.octets.set(addressBytes(remote.ip), 28);
    view.setUint32(48, INET_DIAG_NOCOOKIE, true);
    view.setUint32(52, INET_DIAG_NOCOOKIE, true);
  }
}

/** Hears of each full TCP socket that the kernel frees in one namespace. Request and mini sockets go silently. */
export class DestroyListener implements Disposable {
  readonly #netlink: NetlinkSocket;

  /** For the namespace that the calling thread is in. */
  constructor() {
    this.#netlink = new NetlinkSocket(NETLINK_SOCK_DIAG, DESTROY_GROUPS);
  }

  /** Readable when there is something to take: for an epoll. */
  get fd(): number {
    return this.#netlink.fd;
  }

  /** The sockets freed since the last call, as they were at their end, and whether more were than the kernel could tell of. Never waits. */
  take(): { readonly sockets: readonly DiagSocket[]; readonly hasLost: boolean } {
    const { messages, hasLost } = this.#netlink.pending();
    return { sockets: messages.flatMap(decodeDiagMessage), hasLost };
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }
}

/** The question for one connection. Who asks gets ENOENT where there is none. */
export const findRequest = ({ octets }: PairQuery): NetlinkRequest => ({
  type: SOCK_DIAG_BY_FAMILY,
  flags: 0,
  body: octets,
  what: 'sock_diag look at a connection',
});

/** The question for all sockets of a family, for those who have a netlink socket elsewhere. */
export const dumpRequest = (options: {
  readonly ipVersion: 4 | 6;
  readonly info?: boolean;
}): NetlinkRequest => ({
  type: SOCK_DIAG_BY_FAMILY,
  flags: NLM_F_DUMP,
  body: diagRequest(options.ipVersion, options.info ?? false),
  what: 'sock_diag dump of TCP sockets',
});

/** `struct inet_diag_req_v2` for the TCP sockets of a family. */
function diagRequest(ipVersion: 4 | 6, info: boolean): Uint8Array {
  const request = new Uint8Array(REQUEST_OCTETS);
  request[0] = ipVersion === 4 ? AF_INET : AF_INET6;
  request[1] = IPPROTO_TCP;
  request[2] = info ? 1 << (INET_DIAG_INFO - 1) : 0;
  new DataView(request.buffer).setUint32(4, ALL_STATES, true);
  return request;
}

const addressBytes = (ip: string): Uint8Array => (isIPv6(ip) ? ipv6Bytes(ip) : ipv4Bytes(ip));

/** `struct inet_diag_msg` and its attributes; nothing for messages of another kind. */
export function decodeDiagMessage({ type, body }: NetlinkMessage): DiagSocket[] {
  if (type !== SOCK_DIAG_BY_FAMILY || body.length < MESSAGE_OCTETS) return [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const timer = view.getUint8(2);
  const family = view.getUint8(0);
  const attributes = parseAttributes(body.subarray(MESSAGE_OCTETS));
  const info = attributes.get(INET_DIAG_INFO);
  const name = TIMERS[timer];
  return [
    {
      local: { ip: addressText(family, body.subarray(8, 24)), port: view.getUint16(4) },
      remote: { ip: addressText(family, body.subarray(24, 40)), port: view.getUint16(6) },
      state: tcpStateFromLinux(view.getUint8(1)),
      holder: holderOf(timer, attributes),
      ...(name === undefined
        ? {}
        : { timer: { name, remainsMs: view.getUint32(52, true), retransmits: view.getUint8(3) } }),
      recvQueueOctets: view.getUint32(56, true),
      sendQueueOctets: view.getUint32(60, true),
      cookie: view.getBigUint64(44, true).toString(),
      inode: view.getUint32(68, true),
      ...(info === undefined ? {} : { info: info.slice() }),
    },
  ];
}

/**
 * Full sockets alone say what they have shut down (inet_diag_msg_attrs_fill, since 4.2), and mini sockets alone run the
 * time-wait timer (inet_twsk_diag_fill). What is left is a request socket (inet_req_diag_fill).
 */
function holderOf(timer: number, attributes: ReadonlyMap<number, Uint8Array>): SocketHolder {
  if (timer === TIMER_TIME_WAIT) return 'mini';
  return attributes.has(INET_DIAG_SHUTDOWN) ? 'full' : 'request';
}

/** IPv4 addresses on an IPv6 socket (::ffff:a.b.c.d) read as the IPv4 addresses that are on the wire. */
function addressText(family: number, bytes: Uint8Array): Address['ip'] {
  if (family === AF_INET) return ipv4Text(bytes);
  const mapped =
    bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((octet) => octet === 0);
  return mapped ? ipv4Text(bytes.subarray(12)) : ipv6Text(bytes);
}
