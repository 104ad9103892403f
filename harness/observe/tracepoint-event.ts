/** One record of a TCP tracepoint (include/trace/events/tcp.h and sock.h of the kernel) as plain data. */
import type { Nanos } from '../clock/index.js';
import { type Address, type TcpState, tcpStateFromLinux } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { ipv4Text, ipv6Text } from '../segment/index.js';
import { decodeSockaddr, IPPROTO_TCP } from '../sys/index.js';
import type { EventFormat } from './event-format.js';

export interface TracepointEvent {
  /** `inet_sock_set_state`, `tcp_retransmit_skb`, … */
  readonly name: string;
  readonly atNs: Nanos;
  readonly side: Side;
  /** Tells sockets apart while they live; the kernel may use the number again for a later one. 0: no socket. */
  readonly socket: number;
  readonly local: Address;
  readonly remote: Address;
  /** For `inet_sock_set_state`: the change in Linux's own view. */
  readonly change?: { readonly from: TcpState; readonly to: TcpState };
  readonly detail: Readonly<Record<string, string | number>>;
}

/** An event before it is known whose it is. */
export type UnplacedEvent = Omit<TracepointEvent, 'side' | 'atNs'> & { readonly stampNs: bigint };

/**
 * Decodes a record by its format; nothing for one of another protocol than TCP. `socketNumber` makes a small number of
 * a kernel address.
 */
export function decodeEvent(
  format: EventFormat,
  record: { readonly stampNs: bigint; readonly data: DataView },
  socketNumber: (address: bigint) => number,
): UnplacedEvent | undefined {
  const read = new RecordReader(format, record.data);
  if (read.has('protocol') && read.number('protocol') !== IPPROTO_TCP) return undefined;
  return {
    name: format.name,
    stampNs: record.stampNs,
    socket: read.has('skaddr') ? socketNumber(read.pointer('skaddr')) : 0,
    local: read.address('saddr', 'sport'),
    remote: read.address('daddr', 'dport'),
    ...(read.has('newstate') ? { change: { from: read.state('oldstate'), to: read.state('newstate') } } : {}),
    detail: detailOf(read),
  };
}

function detailOf(read: RecordReader): Record<string, string | number> {
  const detail: Record<string, string | number> = {};
  // tcp_send_reset has state 0 where the segment met no socket.
  if (read.has('state') && read.number('state') !== 0) detail.state = read.state('state');
  if (read.has('reason')) detail.reason = read.symbol('reason');
  if (read.has('err')) detail.error = read.number('err');
  if (read.has('sock_cookie')) detail.cookie = read.pointer('sock_cookie').toString();
  return detail;
}

/** Octets of a `struct sockaddr_in6`: how tcp_send_reset keeps its addresses since Linux 6.10. */
const SOCKADDR_OCTETS = 28;

class RecordReader {
  constructor(
    private readonly format: EventFormat,
    private readonly data: DataView,
  ) {}

  has(name: string): boolean {
    return this.format.fields.has(name);
  }

  #field(name: string): { offset: number; octets: number } {
    const field = this.format.fields.get(name);
    if (field === undefined || field.offset + field.octets > this.data.byteLength)
      throw new Error(
        `the tracepoint ${this.format.name} of this kernel has no field ${name}: use sock_diag as the eye`,
      );
    return field;
  }

  #bytes(name: string): Uint8Array {
    const { offset, octets } = this.#field(name);
    return new Uint8Array(this.data.buffer, this.data.byteOffset + offset, octets);
  }

  number(name: string): number {
    const { offset, octets } = this.#field(name);
    if (octets === 2) return this.data.getUint16(offset, true);
    return octets === 1 ? this.data.getUint8(offset) : this.data.getInt32(offset, true);
  }

  pointer(name: string): bigint {
    return this.data.getBigUint64(this.#field(name).offset, true);
  }

  state(name: string): TcpState {
    return tcpStateFromLinux(this.number(name));
  }

  symbol(name: string): string {
    const number = this.number(name);
    return this.format.symbols.get(name)?.get(number) ?? `${name} ${number}`;
  }

  /** The IPv6 field holds IPv4 addresses too, as ::ffff:a.b.c.d. */
  address(ip: 'saddr' | 'daddr', port: 'sport' | 'dport'): Address {
    const bytes = this.#bytes(ip);
    if (bytes.length === SOCKADDR_OCTETS) return unmapped(decodeSockaddr(bytes));
    const v6 = this.#bytes(`${ip}_v6`);
    return { ip: isMapped(v6) ? ipv4Text(v6.subarray(12)) : ipv6Text(v6), port: this.number(port) };
  }
}

const isMapped = (v6: Uint8Array): boolean =>
  v6[10] === 0xff && v6[11] === 0xff && v6.subarray(0, 10).every((octet) => octet === 0);

const unmapped = ({ ip, port }: Address): Address => ({ ip: ip.replace(/^::ffff:(?=\d+\.)/, ''), port });
