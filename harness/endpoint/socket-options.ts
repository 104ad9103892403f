/**
 * Socket options by their C names: level, number and form, from the kernel's include/uapi/asm-generic/socket.h,
 * include/uapi/linux/tcp.h, in.h and in6.h (x86-64 and arm64 agree).
 */
import { IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET } from '../sys/index.js';
import { nearNames } from '../text/index.js';

/**
 * - `int`, `uint`: 32 bits; `u64`: 64 bits, exact up to 2^53
 * - `linger`: `struct linger` as seconds, -1 for off
 * - `timeval`: `struct timeval` as milliseconds
 * - `text`: a name; `hex`: octets in hexadecimal
 */
export type OptionForm = 'int' | 'uint' | 'u64' | 'linger' | 'timeval' | 'text' | 'hex';

export interface SocketOption {
  readonly name: string;
  readonly level: number;
  readonly number: number;
  readonly form: OptionForm;
}

type Table = Readonly<Record<string, number | readonly [number, OptionForm]>>;

const SOCKET: Table = {
  SO_DEBUG: 1,
  SO_REUSEADDR: 2,
  SO_TYPE: 3,
  SO_ERROR: 4,
  SO_DONTROUTE: 5,
  SO_BROADCAST: 6,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_KEEPALIVE: 9,
  SO_OOBINLINE: 10,
  SO_PRIORITY: 12,
  SO_LINGER: [13, 'linger'],
  SO_REUSEPORT: 15,
  SO_RCVLOWAT: 18,
  SO_SNDLOWAT: 19,
  SO_RCVTIMEO: [20, 'timeval'],
  SO_SNDTIMEO: [21, 'timeval'],
  SO_BINDTODEVICE: [25, 'text'],
  SO_ACCEPTCONN: 30,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_MARK: [36, 'uint'],
  SO_PROTOCOL: 38,
  SO_DOMAIN: 39,
  SO_PEEK_OFF: 42,
  SO_BUSY_POLL: 46,
  SO_MAX_PACING_RATE: [47, 'u64'],
  SO_INCOMING_CPU: 49,
  SO_INCOMING_NAPI_ID: 56,
  SO_COOKIE: [57, 'u64'],
  SO_ZEROCOPY: 60,
  SO_BINDTOIFINDEX: 62,
  SO_NETNS_COOKIE: [71, 'u64'],
  SO_BUF_LOCK: 72,
  SO_RESERVE_MEM: 73,
  SO_TXREHASH: 74,
};

const TCP: Table = {
  TCP_NODELAY: 1,
  TCP_MAXSEG: 2,
  TCP_CORK: 3,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_SYNCNT: 7,
  TCP_LINGER2: 8,
  TCP_DEFER_ACCEPT: 9,
  TCP_WINDOW_CLAMP: 10,
  TCP_QUICKACK: 12,
  TCP_CONGESTION: [13, 'text'],
  TCP_THIN_LINEAR_TIMEOUTS: 16,
  TCP_THIN_DUPACK: 17,
  TCP_USER_TIMEOUT: 18,
  TCP_REPAIR: 19,
  TCP_REPAIR_QUEUE: 20,
  TCP_QUEUE_SEQ: [21, 'uint'],
  TCP_FASTOPEN: 23,
  TCP_TIMESTAMP: [24, 'uint'],
  TCP_NOTSENT_LOWAT: [25, 'uint'],
  TCP_SAVE_SYN: 27,
  TCP_SAVED_SYN: [28, 'hex'],
  TCP_FASTOPEN_CONNECT: 30,
  TCP_ULP: [31, 'text'],
  TCP_FASTOPEN_KEY: [33, 'hex'],
  TCP_FASTOPEN_NO_COOKIE: 34,
  TCP_INQ: 36,
  TCP_TX_DELAY: 37,
  TCP_IS_MPTCP: 43,
  TCP_RTO_MAX_MS: 44,
  TCP_RTO_MIN_US: 45,
  TCP_DELACK_MAX_US: 46,
};

const IP: Table = {
  IP_TOS: 1,
  IP_TTL: 2,
  IP_OPTIONS: [4, 'hex'],
  IP_RECVERR: 11,
  IP_MTU_DISCOVER: 10,
  IP_MTU: 14,
  IP_FREEBIND: 15,
  IP_TRANSPARENT: 19,
  IP_MINTTL: 21,
  IP_BIND_ADDRESS_NO_PORT: 24,
  IP_LOCAL_PORT_RANGE: [51, 'uint'],
};

const IPV6: Table = {
  IPV6_UNICAST_HOPS: 16,
  IPV6_MTU_DISCOVER: 23,
  IPV6_MTU: 24,
  IPV6_RECVERR: 25,
  IPV6_V6ONLY: 26,
  IPV6_FLOWINFO_SEND: 33,
  IPV6_DONTFRAG: 62,
  IPV6_TCLASS: 67,
  IPV6_AUTOFLOWLABEL: 70,
  IPV6_MINHOPCOUNT: 73,
  IPV6_TRANSPARENT: 75,
  IPV6_FREEBIND: 78,
};

const OPTIONS = new Map<string, SocketOption>(
  [
    { level: SOL_SOCKET, table: SOCKET },
    { level: IPPROTO_TCP, table: TCP },
    { level: IPPROTO_IP, table: IP },
    { level: IPPROTO_IPV6, table: IPV6 },
  ].flatMap(({ level, table }) =>
    Object.entries(table).map(([name, entry]) => {
      const [number, form] = typeof entry === 'number' ? ([entry, 'int'] as const) : entry;
      return [name, { name, level, number, form }] as const;
    }),
  ),
);

/** Throws a `RangeError` that names the options nearest to an unknown name. */
export function socketOption(name: string): SocketOption {
  const option = OPTIONS.get(name);
  if (option !== undefined) return option;
  const near = nearNames(name, [...OPTIONS.keys()]);
  const hint =
    near.length === 0 ? 'give its C name, such as TCP_NODELAY' : `did you mean ${near.join(' or ')}?`;
  throw new RangeError(`unknown socket option "${name}": ${hint}`);
}

export function encodeOption(option: SocketOption, value: number | string): Uint8Array {
  if (option.form === 'text' || option.form === 'hex') {
    if (typeof value !== 'string')
      throw new RangeError(`${option.name} takes a text, not the number ${value}`);
    return option.form === 'text' ? new TextEncoder().encode(`${value}\0`) : hexBytes(option.name, value);
  }
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new RangeError(`${option.name} takes a whole number, not ${JSON.stringify(value)}`);
  }
  const bytes = new Uint8Array({ int: 4, uint: 4, u64: 8, linger: 8, timeval: 16 }[option.form]);
  const view = new DataView(bytes.buffer);
  switch (option.form) {
    case 'int':
    case 'uint':
      view.setUint32(0, value, true);
      break;
    case 'u64':
      view.setBigUint64(0, BigInt(value), true);
      break;
    case 'linger':
      view.setInt32(0, value < 0 ? 0 : 1, true);
      view.setInt32(4, Math.max(value, 0), true);
      break;
    case 'timeval':
      view.setBigInt64(0, BigInt(Math.floor(value / 1000)), true);
      view.setBigInt64(8, BigInt((value % 1000) * 1000), true);
      break;
  }
  return bytes;
}

export function decodeOption(option: SocketOption, bytes: Uint8Array): number | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (option.form) {
    case 'int':
      return view.getInt32(0, true);
    case 'uint':
      return view.getUint32(0, true);
    case 'u64':
      return Number(view.getBigUint64(0, true));
    case 'linger':
      return view.getInt32(0, true) === 0 ? -1 : view.getInt32(4, true);
    case 'timeval':
      return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1000;
    case 'text':
      return new TextDecoder().decode(bytes).replace(/\0.*$/, '');
    case 'hex':
      return Buffer.from(bytes).toString('hex');
  }
}

function hexBytes(name: string, text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(text))
    throw new RangeError(`${name} takes octets in hexadecimal, not "${text}"`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
