/** What rtnetlink is asked (uapi/linux/rtnetlink.h, if_link.h, if_addr.h): links and addresses of a network namespace. Pure. */

import { ipBytes } from '../segment/index.js';
import {
  AF_INET,
  AF_INET6,
  attribute,
  concatBytes,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
} from '../sys/index.js';

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_FD = 28;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const MACVLAN_INFO_MODE = 1;
/** Between the cards of one machine nothing passes: everything goes out over the wire. */
const MACVLAN_MODE_PRIVATE = 1;
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
export const IFINFO_OCTETS = 16;

const MAKE = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

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

/**
 * A veth pair whose ends neither ask for nor announce anything: without ARP a stack takes its neighbours to have its
 * own MAC, and without multicast there are no membership reports. Both ends are down.
 */
export function addVeth({ name, index, mac, mtu, far }: VethOptions): NetlinkRequest {
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
  return { type: RTM_NEWLINK, flags: MAKE, body, what: `rtnetlink: make the veth pair ${name}` };
}

export interface MacvlanOptions {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** Index of the card that it sits on, in the namespace that is asked. */
  readonly card: number;
  /** The namespace that it is for. */
  readonly namespaceFd: number;
}

/** A card of its own MAC on another card, for a namespace. It is down, and announces no memberships. */
export function addMacvlan({ name, mac, mtu, card, namespaceFd }: MacvlanOptions): NetlinkRequest {
  const linkinfo = concatBytes(
    attribute(IFLA_INFO_KIND, text('macvlan')),
    attribute(IFLA_INFO_DATA | NLA_F_NESTED, attribute(MACVLAN_INFO_MODE, u32(MACVLAN_MODE_PRIVATE))),
  );
  const body = concatBytes(
    ifinfo(0, 0, IFF_MULTICAST),
    attribute(IFLA_IFNAME, text(name)),
    attribute(IFLA_ADDRESS, mac),
    attribute(IFLA_MTU, u32(mtu)),
    attribute(IFLA_LINK, u32(card)),
    attribute(IFLA_NET_NS_FD, u32(namespaceFd)),
    attribute(IFLA_LINKINFO | NLA_F_NESTED, linkinfo),
  );
  return { type: RTM_NEWLINK, flags: MAKE, body, what: `rtnetlink: make the macvlan ${name}` };
}

export const setUp = (index: number): NetlinkRequest => ({
  type: RTM_NEWLINK,
  flags: NLM_F_ACK,
  body: ifinfo(index, IFF_UP, IFF_UP),
  what: `rtnetlink: link ${index} up`,
});

export const lookAtLink = (index: number): NetlinkRequest => ({
  type: RTM_GETLINK,
  flags: 0,
  body: ifinfo(index),
  what: `rtnetlink: look at link ${index}`,
});

/** Asks for a link by its name. */
export const findLink = (name: string): NetlinkRequest => ({
  type: RTM_GETLINK,
  flags: 0,
  body: concatBytes(ifinfo(0), attribute(IFLA_IFNAME, text(name))),
  what: `rtnetlink: find the link ${name}`,
});

/** The index in the answer to a question about a link. */
export const linkIndex = ({ body }: NetlinkMessage): number =>
  new DataView(body.buffer, body.byteOffset).getInt32(4, true);

export interface AddressOptions {
  readonly ip: string;
  readonly remoteIp: string;
  readonly prefixBits: number;
}

/** Adds an address and the route to the prefix of the opposite one, usable at once: no duplicate address detection. */
export function addAddress(index: number, { ip, remoteIp, prefixBits }: AddressOptions): NetlinkRequest[] {
  const octets = ipBytes(ip);
  const header = new Uint8Array(8);
  header[0] = octets.length === 4 ? AF_INET : AF_INET6;
  header[1] = prefixBits;
  header[2] = octets.length === 4 ? 0 : IFA_F_NODAD;
  new DataView(header.buffer).setUint32(4, index, true);
  // A prefix of one address is the opposite end's; a wider one has both.
  const prefix = prefixBits === octets.length * 8 ? ipBytes(remoteIp) : octets;
  const body = concatBytes(header, attribute(IFA_LOCAL, octets), attribute(IFA_ADDRESS, prefix));
  const address = { type: RTM_NEWADDR, flags: MAKE, body, what: `rtnetlink: address ${ip}` };
  return octets.length === 16 ? [address, addLocalRoute(index, ip)] : [address];
}

/**
 * The route by which an IPv6 address receives. The kernel adds one itself, but from a queue of work (addrconf_dad_work in
 * net/ipv6/addrconf.c): a packet that comes before would be lost.
 */
function addLocalRoute(index: number, ip: string): NetlinkRequest {
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
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F_ACK | NLM_F_CREATE,
    body,
    what: `rtnetlink: local route to ${ip}`,
  };
}
