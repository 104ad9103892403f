/** Two namespaces joined by a veth and nothing between: what the wire is compared with. */
import { otherSide, type Side } from '../../fault/index.js';
import { NetworkNamespace } from '../../sys/index.js';
import { switchOffloadsOff } from './offloads.js';
import { Rtnetlink } from './rtnetlink.js';
import { LINK_MAC } from './wire-thread.js';

const LINK = { name: 'eth0', index: 2 } as const;
/** RFC 2544's range, as labs have it, but from its end: no lab's. */
const IPS = { client: '198.19.255.1', server: '198.19.255.2' } as const;
const PREFIX_BITS = 30;
const LOOPBACK_INDEX = 1;

export interface BarePair extends Disposable {
  namespace(side: Side): NetworkNamespace;
  ip(side: Side): string;
}

export function openBarePair({ mtu = 1500 }: { readonly mtu?: number } = {}): BarePair {
  const client = NetworkNamespace.create();
  const server = NetworkNamespace.create();
  const furnish = (side: Side, namespace: NetworkNamespace, makeLink: (rtnetlink: Rtnetlink) => void): void =>
    namespace.run(() => {
      using rtnetlink = new Rtnetlink();
      rtnetlink.setUp(LOOPBACK_INDEX);
      makeLink(rtnetlink);
      switchOffloadsOff(LINK.name);
      rtnetlink.addAddress(LINK.index, {
        ip: IPS[side],
        remoteIp: IPS[otherSide(side)],
        prefixBits: PREFIX_BITS,
      });
    });
  furnish('client', client, (rtnetlink) =>
    rtnetlink.addVeth({
      ...LINK,
      mac: LINK_MAC,
      mtu,
      far: { ...LINK, mac: LINK_MAC, namespaceFd: server.fd },
    }),
  );
  furnish('server', server, () => {});
  for (const namespace of [client, server])
    namespace.run(() => {
      using rtnetlink = new Rtnetlink();
      rtnetlink.setUp(LINK.index);
    });
  return {
    namespace: (side) => (side === 'client' ? client : server),
    ip: (side) => IPS[side],
    [Symbol.dispose]() {
      client[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}
