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

/** Fixed, so that nothing needs to be asked: the loopback is 1. */
const LINK = { name: 'eth0', index: 2 } as const;
const LOOPBACK_INDEX = 1;

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
}

export function makeEndpointNamespace(options: EndpointNamespaceOptions): NetworkNamespace {
  const namespace = NetworkNamespace.create();
  try {
    namespace.run(() => furnish(options));
    return namespace;
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

/** Whether the stack can send and receive. */
export const isReady = (namespace: NetworkNamespace): boolean =>
  namespace.run(() => {
    using rtnetlink = new Rtnetlink();
    return rtnetlink.isOperational(LINK.index);
  });

function furnish(options: EndpointNamespaceOptions): void {
  using rtnetlink = new Rtnetlink();
  const { side, ip, remoteIp, prefixBits, ipVersion, mtu, settings, farSide, farIfindex } = options;
  // Without a link-local address there is nothing to announce or to discover (addr_gen_mode 1 is "none").
  if (ipVersion === 6) writeIfThere('/proc/sys/net/ipv6/conf/default/addr_gen_mode', '1');
  else writeIfThere('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
  rtnetlink.setUp(LOOPBACK_INDEX);
  const far = { name: `l${farIfindex}`, index: farIfindex, mac: FAR_MAC, namespaceFd: farSide.namespace.fd };
  rtnetlink.addVeth({ ...LINK, mac: LINK_MAC, mtu, far });
  switchOffloadsOff(LINK.name);
  // The far end first: so the near end has its carrier when it comes up, and sends at once.
  farSide.rtnetlink.setUp(farIfindex);
  rtnetlink.setUp(LINK.index);
  rtnetlink.addAddress(LINK.index, { ip, remoteIp, prefixBits });
  applySettings(settings, side);
}
