/**
 * A network namespace for one endpoint: a loopback, and one link whose far end belongs to the wire. Nothing speaks
 * there but the endpoint: no ARP, no neighbour or router discovery, no membership reports. Held by a file descriptor.
 */
import type { Side } from '../../fault/index.js';
import { NetworkNamespace } from '../../sys/index.js';
import type { Settings } from '../lab.js';
import { switchOffloadsOff } from './offloads.js';
import { Rtnetlink } from './rtnetlink.js';
import { applySettings, writeIfThere } from './settings.js';
import { FAR_MAC, type FarSide, LINK_MAC } from './wire-thread.js';

const LOOPBACK_INDEX = 1;
/** Fixed, so that nothing needs to be asked: the loopback is 1. A namespace on a way of two legs has a link for each. */
const LINKS = { first: { name: 'eth0', index: 2 }, second: { name: 'eth1', index: 3 } } as const;
export type LinkPlace = keyof typeof LINKS;

export interface EndpointNamespaceOptions {
  readonly side: Side;
  readonly ip: string;
  readonly remoteIp: string;
  readonly prefixBits: number;
  readonly ipVersion: 4 | 6;
  readonly mtu: number;
  readonly settings: Settings;
  readonly farSide: FarSide;
  readonly farIfindex: number;
  /** Which of its links it is (default `first`). */
  readonly link?: LinkPlace;
}

export function makeEndpointNamespace(options: EndpointNamespaceOptions): NetworkNamespace {
  const namespace = NetworkNamespace.create();
  try {
    addEndpointLink(namespace, options);
    return namespace;
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

/** Adds a link to a namespace that is there. */
export const addEndpointLink = (namespace: NetworkNamespace, options: EndpointNamespaceOptions): void =>
  namespace.run(() => furnish(options));

/** Whether the stack can send and receive. */
export const isReady = (namespace: NetworkNamespace, link: LinkPlace = 'first'): boolean =>
  namespace.run(() => {
    using rtnetlink = new Rtnetlink();
    return rtnetlink.isOperational(LINKS[link].index);
  });

function furnish(options: EndpointNamespaceOptions): void {
  using rtnetlink = new Rtnetlink();
  const { side, ip, remoteIp, prefixBits, ipVersion, mtu, settings, farSide, farIfindex } = options;
  const near = LINKS[options.link ?? 'first'];
  // Without a link-local address there is nothing to announce or to discover (addr_gen_mode 1 is "none").
  if (ipVersion === 6) writeIfThere('/proc/sys/net/ipv6/conf/default/addr_gen_mode', '1');
  else writeIfThere('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
  rtnetlink.setUp(LOOPBACK_INDEX);
  const far = { name: `l${farIfindex}`, index: farIfindex, mac: FAR_MAC, namespaceFd: farSide.namespace.fd };
  rtnetlink.addVeth({ ...near, mac: LINK_MAC, mtu, far });
  switchOffloadsOff(near.name);
  // The far end first: so the near end has its carrier when it comes up, and sends at once.
  farSide.rtnetlink.setUp(farIfindex);
  rtnetlink.setUp(near.index);
  rtnetlink.addAddress(near.index, { ip, remoteIp, prefixBits });
  applySettings(settings, side);
}
