/** Links and addresses of a network namespace of this machine, through rtnetlink. */

import { NETLINK_ROUTE, NetlinkSocket, parseAttributes } from '../../sys/index.js';
import {
  type AddressOptions,
  addAddress,
  addVeth,
  IFINFO_OCTETS,
  lookAtLink,
  setUp,
  type VethOptions,
} from '../rtnetlink-messages.js';

const IFLA_OPERSTATE = 16;
const IF_OPER_UNKNOWN = 0;
const IF_OPER_UP = 6;
const IFLA_STATS64 = 23;

/** Asks rtnetlink of the namespace in which it was made. */
export class Rtnetlink implements Disposable {
  readonly #netlink = new NetlinkSocket(NETLINK_ROUTE);

  addVeth(options: VethOptions): void {
    this.#netlink.request(addVeth(options));
  }

  setUp(index: number): void {
    this.#netlink.request(setUp(index));
  }

  /**
   * Whether the kernel takes the link for usable. It learns of a veth's carrier through a queue of work that may lag
   * behind (net/core/link_watch.c); since Linux 6.9 asking makes it catch up.
   */
  isOperational(index: number): boolean {
    const [answer] = this.#netlink.request(lookAtLink(index));
    const state = answer && parseAttributes(answer.body.subarray(IFINFO_OCTETS)).get(IFLA_OPERSTATE)?.[0];
    return state === IF_OPER_UP || state === IF_OPER_UNKNOWN;
  }

  addAddress(index: number, options: AddressOptions): void {
    for (const request of addAddress(index, options)) this.#netlink.request(request);
  }

  /** Packets that the kernel threw away at a link, for want of room in its queues. */
  drops(index: number): { readonly rxDropped: number; readonly txDropped: number } {
    const [answer] = this.#netlink.request(lookAtLink(index));
    const stats = answer && parseAttributes(answer.body.subarray(IFINFO_OCTETS)).get(IFLA_STATS64);
    if (stats === undefined) return { rxDropped: 0, txDropped: 0 };
    // struct rtnl_link_stats64: packets, octets and errors of both directions come first.
    const view = new DataView(stats.buffer, stats.byteOffset, stats.byteLength);
    return {
      rxDropped: Number(view.getBigUint64(48, true)),
      txDropped: Number(view.getBigUint64(56, true)),
    };
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }
}
