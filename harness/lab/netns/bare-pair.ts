/** Two namespaces joined by a veth and nothing between: what the wire is compared with. */
import { otherSide, SIDES, type Side } from '../../fault/index.js';
import { NetworkNamespace } from '../../sys/index.js';
import { switchOffloadsOff } from './offloads.js';
import { Rtnetlink } from './rtnetlink.js';
import { LINK_MAC } from './wire-thread.js';

const LINK = { name: 'eth0', index: 2 } as const;
/** RFC 2544's range, and RFC 5180's, as labs have them, but from their end: no lab's. */
const IPS = {
  4: { client: '198.19.255.1', server: '198.19.255.2' },
  6: { client: '2001:2:0:ffff::1', server: '2001:2:0:ffff::2' },
} as const;
const PREFIX_BITS = { 4: 30, 6: 126 } as const;
const LOOPBACK_INDEX = 1;

export interface BarePair extends Disposable {
  namespace(side: Side): NetworkNamespace;
  ip(side: Side): string;
}

export interface BarePairOptions {
  readonly mtu?: number;
  readonly ipVersion?: 4 | 6;
}

export function openBarePair({ mtu = 1500, ipVersion = 4 }: BarePairOptions = {}): BarePair {
  const ips = IPS[ipVersion];
  const client = NetworkNamespace.create();
  const server = NetworkNamespace.create();
  const inEach = (step: (rtnetlink: Rtnetlink, side: Side) => void): void => {
    for (const side of SIDES)
      (side === 'client' ? client : server).run(() => {
        using rtnetlink = new Rtnetlink();
        step(rtnetlink, side);
      });
  };
  inEach((rtnetlink, side) => {
    rtnetlink.setUp(LOOPBACK_INDEX);
    const far = { ...LINK, mac: LINK_MAC, namespaceFd: server.fd };
    if (side === 'client') rtnetlink.addVeth({ ...LINK, mac: LINK_MAC, mtu, far });
    switchOffloadsOff(LINK.name);
    rtnetlink.setUp(LINK.index);
  });
  // Routes of IPv6 take links that are up.
  inEach((rtnetlink, side) =>
    rtnetlink.addAddress(LINK.index, {
      ip: ips[side],
      remoteIp: ips[otherSide(side)],
      prefixBits: PREFIX_BITS[ipVersion],
    }),
  );
  return {
    namespace: (side) => (side === 'client' ? client : server),
    ip: (side) => ips[side],
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}
