/** Links and addresses of a network namespace through rtnetlink (uapi/linux/rtnetlink.h, if_link.h, if_addr.h). */

import { ipBytes } from '../../segment/index.js';
import {
  AF_INET,
  AF_INET6,
  attribute,
  concatBytes,
  NETLINK_ROUTE,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  parseAttributes,
} from '../../sys/index.js';

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_OPERSTATE = 16;
const IF_OPER_UNKNOWN = 0;
const IF_OPER_UP = 6;
const IFLA_LINKINFO = 18;
const IFLA_STATS64 = 23;
const IFLA_NET_NS_FD = 28;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RT_TABLE_LOCAL = 255;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RTN_LOCAL = 2;
const IFA_F_NODAD = 0x02;
const NLA_F_NESTED = 0x8000;
export const IFF_UP = 0x1;
const IFF_NOARP = 0x80;
const IFF_MULTICAST = 0x1000;
const IFINFO_OCTETS = 16;

export interface VethOptions {
  readonly name: string;
  readonly index: number;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** The other end of the pair, in the namespace that the file descriptor stands for. */
  readonly far: {
    readonly name: string;
    readonly index: number;
    readonly mac: Uint8Array;
    readonly namespaceFd: number;
  };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** `struct ifinfomsg`; `change` is the mask of flags that are set as `flags` says. */
function ifinfo(index: number, flags = 0, change = 0): Uint8Array {
  const bytes = new Uint8Array(IFINFO_OCTETS);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return bytes;
}

/** Asks rtnetlink of the namespace in which it was made. */
export class Rtnetlink implements Disposable {
  readonly #netlink = new NetlinkSocket(NETLINK_ROUTE);

  /**
   * A veth pair whose ends neither ask for nor announce anything: without ARP a stack takes its neighbours to have its
   * own MAC, and without multicast there are no membership reports. Both ends are down.
   */
  addVeth({ name, index, mac, mtu, far }: VethOptions): void {
    const one = u32(1);
    const queues = [attribute(IFLA_NUM_TX_QUEUES, one), attribute(IFLA_NUM_RX_QUEUES, one)];
    const peer = concatBytes(
      ifinfo(far.index, IFF_NOARP, IFF_NOARP | IFF_MULTICAST),
      attribute(IFLA_ADDRESS, far.mac),
      attribute(IFLA_IFNAME, text(far.name)),
      attribute(IFLA_MTU, u32(mtu)),
      attribute(IFLA_NET_NS_FD, u32(far.namespaceFd)),
      ...queues,
    );
    const linkinfo = concatBytes(
      attribute(IFLA_INFO_KIND, text('veth')),
      attribute(IFLA_INFO_DATA | NLA_F_NESTED, attribute(VETH_INFO_PEER | NLA_F_NESTED, peer)),
    );
    const body = concatBytes(
      ifinfo(index, IFF_NOARP, IFF_NOARP | IFF_MULTICAST),
      attribute(IFLA_IFNAME, text(name)),
      attribute(IFLA_ADDRESS, mac),
      attribute(IFLA_MTU, u32(mtu)),
      ...queues,
      attribute(IFLA_LINKINFO | NLA_F_NESTED, linkinfo),
    );
    this.#netlink.request(
      RTM_NEWLINK,
      NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
      body,
      `rtnetlink: make the veth pair ${name}`,
    );
  }

  setUp(index: number): void {
    this.#netlink.request(
      RTM_NEWLINK,
      NLM_F_ACK,
      ifinfo(index, IFF_UP, IFF_UP),
      `rtnetlink: link ${index} up`,
    );
  }

  /**
   * Whether the kernel takes the link for usable. It learns of a veth's carrier through a queue of work that may lag
   * behind (net/core/link_watch.c); since Linux 6.9 asking makes it catch up.
   */
  isOperational(index: number): boolean {
    const [answer] = this.#netlink.request(RTM_GETLINK, 0, ifinfo(index), `rtnetlink: look at link ${index}`);
    const state = answer && parseAttributes(answer.body.subarray(IFINFO_OCTETS)).get(IFLA_OPERSTATE)?.[0];
    return state === IF_OPER_UP || state === IF_OPER_UNKNOWN;
  }

  /**
   * Adds an address and the route to the prefix of the opposite one, usable at once: no duplicate address detection.
   */
  addAddress(
    index: number,
    { ip, remoteIp, prefixBits }: { ip: string; remoteIp: string; prefixBits: number },
  ): void {
    const octets = ipBytes(ip);
    const header = new Uint8Array(8);
    header[0] = octets.length === 4 ? AF_INET : AF_INET6;
    header[1] = prefixBits;
    header[2] = octets.length === 4 ? 0 : IFA_F_NODAD;
    new DataView(header.buffer).setUint32(4, index, true);
    // A prefix of one address is the opposite end's; a wider one has both.
    const prefix = prefixBits === octets.length * 8 ? ipBytes(remoteIp) : octets;
    const body = concatBytes(header, attribute(IFA_LOCAL, octets), attribute(IFA_ADDRESS, prefix));
    const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    this.#netlink.request(RTM_NEWADDR, flags, body, `rtnetlink: address ${ip}`);
    if (octets.length === 16) this.#addLocalRoute(index, ip);
  }

  /**
   * The route by which an IPv6 address receives. The kernel adds one itself, but from a queue of work (addrconf_dad_work in
   * net/ipv6/addrconf.c): a packet that comes before would be lost.
   */
  #addLocalRoute(index: number, ip: string): void {
    const octets = ipBytes(ip);
    const header = new Uint8Array(12);
    header.set([
      AF_INET6,
      octets.length * 8,
      0,
      0,
      RT_TABLE_LOCAL,
      RTPROT_STATIC,
      RT_SCOPE_UNIVERSE,
      RTN_LOCAL,
    ]);
    const body = concatBytes(header, attribute(RTA_DST, octets), attribute(RTA_OIF, u32(index)));
    this.#netlink.request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, body, `rtnetlink: local route to ${ip}`);
  }

  /** Packets that the kernel threw away at a link, for want of room in its queues. */
  drops(index: number): { readonly rxDropped: number; readonly txDropped: number } {
    const [answer] = this.#netlink.request(RTM_GETLINK, 0, ifinfo(index), `rtnetlink: look at link ${index}`);
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
