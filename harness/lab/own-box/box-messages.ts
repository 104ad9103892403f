/** What rtnetlink is asked so that the kernel forwards between a network and the own TCP (uapi/linux/rtnetlink.h, neighbour.h, ip.h). Pure. */
import { ipBytes } from '../../segment/index.js';
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
  parseAttributes,
} from '../../sys/index.js';
import { IFINFO_OCTETS } from '../rtnetlink-messages.js';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_SETNEIGHTBL = 67;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_INET_CONF = 1;
const IPV4_DEVCONF_FORWARDING = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTMSG_OCTETS = 12;
const NDA_DST = 1;
const NTF_PROXY = 0x08;
const NDTA_NAME = 1;
const NDTA_PARMS = 6;
const NDTPA_IFINDEX = 1;
const NDTPA_PROXY_DELAY = 13;
const IFF_NOARP = 0x80;
const IFF_MULTICAST = 0x1000;
const NLA_F_NESTED = 0x8000;

const MAKE = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const familyOf = (octets: Uint8Array): number => (octets.length === 4 ? AF_INET : AF_INET6);
const nested = (type: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  attribute(type | NLA_F_NESTED, concatBytes(...parts));

function ifinfo(index: number, flags = 0, change = 0): Uint8Array {
  const bytes = new Uint8Array(IFINFO_OCTETS);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return bytes;
}

export interface BoxLinks {
  /** The kernel's end of the pair, and the stack's. */
  readonly kernel: string;
  readonly stack: string;
  readonly mtu: number;
}

/** Both ends are in this namespace and down. At the stack's the kernel is to be mute: it neither answers there nor announces. */
export function addPair({ kernel, stack, mtu }: BoxLinks): NetlinkRequest {
  const size = attribute(IFLA_MTU, u32(mtu));
  const peer = [ifinfo(0, IFF_NOARP, IFF_NOARP | IFF_MULTICAST), attribute(IFLA_IFNAME, text(stack)), size];
  const body = concatBytes(
    ifinfo(0),
    attribute(IFLA_IFNAME, text(kernel)),
    size,
    nested(
      IFLA_LINKINFO,
      attribute(IFLA_INFO_KIND, text('veth')),
      nested(IFLA_INFO_DATA, nested(VETH_INFO_PEER, ...peer)),
    ),
  );
  return { type: RTM_NEWLINK, flags: MAKE, body, what: `rtnetlink: make the veth pair ${kernel}` };
}

/** The other end of a pair goes with it. */
export const deleteLink = (index: number): NetlinkRequest => ({
  type: RTM_DELLINK,
  flags: NLM_F_ACK,
  body: ifinfo(index),
  what: `rtnetlink: remove link ${index}`,
});

/** No link-local address of its own making, and with it no solicitations. */
export const withoutIpv6Addresses = (index: number): NetlinkRequest => {
  const mode = attribute(IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE));
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    body: concatBytes(ifinfo(index), nested(IFLA_AF_SPEC, nested(AF_INET6, mode))),
    what: `rtnetlink: no IPv6 addresses of link ${index}`,
  };
};

/** What sysctl net.ipv4.conf.LINK.forwarding does, where /proc/sys may not be written. */
export const forwardIpv4From = (index: number): NetlinkRequest => {
  const forwarding = attribute(IPV4_DEVCONF_FORWARDING, u32(1));
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    body: concatBytes(
      ifinfo(index),
      nested(IFLA_AF_SPEC, nested(AF_INET, nested(IFLA_INET_CONF, forwarding))),
    ),
    what: `rtnetlink: forward from link ${index}`,
  };
};

function route(octets: Uint8Array, scope: number): Uint8Array {
  const header = new Uint8Array(RTMSG_OCTETS);
  header.set([familyOf(octets), octets.length * 8, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST]);
  return concatBytes(header, attribute(RTA_DST, octets));
}

/** To one address that is on a link. */
export function addHostRoute(index: number, ip: string): NetlinkRequest {
  const octets = ipBytes(ip);
  const body = concatBytes(
    route(octets, octets.length === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE),
    attribute(RTA_OIF, u32(index)),
  );
  return { type: RTM_NEWROUTE, flags: MAKE, body, what: `rtnetlink: route to ${ip}` };
}

export const findRoute = (ip: string): NetlinkRequest => ({
  type: RTM_GETROUTE,
  flags: 0,
  body: route(ipBytes(ip), RT_SCOPE_UNIVERSE),
  what: `rtnetlink: find the route to ${ip}`,
});

export interface FoundRoute {
  /** Index of the link that it leads out of. */
  readonly link: number;
  /** The address is on that link: no gateway is before it, and it is not this host's own. */
  readonly isOnLink: boolean;
}

const TYPE_AT = 7;

export function readRoute({ body }: NetlinkMessage): FoundRoute {
  const attributes = parseAttributes(body.subarray(RTMSG_OCTETS));
  const oif = attributes.get(RTA_OIF);
  const link = oif === undefined ? 0 : new DataView(oif.buffer, oif.byteOffset).getInt32(0, true);
  return { link, isOnLink: !attributes.has(RTA_GATEWAY) && body[TYPE_AT] === RTN_UNICAST };
}

/** The kernel answers for this address on the link, in ARP or neighbour discovery. */
export const addProxy = (index: number, ip: string): NetlinkRequest => ({
  type: RTM_NEWNEIGH,
  flags: NLM_F_ACK | NLM_F_CREATE,
  body: proxy(index, ip),
  what: `rtnetlink: answer for ${ip}`,
});

export const deleteProxy = (index: number, ip: string): NetlinkRequest => ({
  type: RTM_DELNEIGH,
  flags: NLM_F_ACK,
  body: proxy(index, ip),
  what: `rtnetlink: answer for ${ip} no more`,
});

function proxy(index: number, ip: string): Uint8Array {
  const octets = ipBytes(ip);
  const header = new Uint8Array(12);
  header[0] = familyOf(octets);
  new DataView(header.buffer).setInt32(4, index, true);
  header[10] = NTF_PROXY;
  return concatBytes(header, attribute(NDA_DST, octets));
}

/** The kernel answers for others after a random time, 0.4 s on average, unless it is told not to wait (arp(7), proxy_delay). */
export function proxyAtOnce(index: number, ipVersion: 4 | 6): NetlinkRequest {
  const header = new Uint8Array(4);
  header[0] = ipVersion === 4 ? AF_INET : AF_INET6;
  const parameters = nested(
    NDTA_PARMS,
    attribute(NDTPA_IFINDEX, u32(index)),
    attribute(NDTPA_PROXY_DELAY, new Uint8Array(8)),
  );
  const table = attribute(NDTA_NAME, text(ipVersion === 4 ? 'arp_cache' : 'ndisc_cache'));
  return {
    type: RTM_SETNEIGHTBL,
    flags: NLM_F_ACK,
    body: concatBytes(header, table, parameters),
    what: `rtnetlink: answer for others at once on link ${index}`,
  };
}

/** Name and MTU in the answer to a question about a link. */
export function readLink({ body }: NetlinkMessage): { readonly name: string; readonly mtu: number } {
  const attributes = parseAttributes(body.subarray(IFINFO_OCTETS));
  const name = new TextDecoder().decode(attributes.get(IFLA_IFNAME)).replace(/\0.*$/, '');
  const mtu = attributes.get(IFLA_MTU);
  return { name, mtu: mtu === undefined ? 0 : new DataView(mtu.buffer, mtu.byteOffset).getUint32(0, true) };
}
