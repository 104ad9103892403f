/** What sockets a network namespace has, and where in it something listens. */
import type { Address } from '../../endpoint/index.js';
import { type DiagSocket, SockDiag } from '../../observe/index.js';
import type { NetworkNamespace } from '../../sys/index.js';

/** Of both IP versions: a socket of IPv6 may have connections of IPv4. */
export function socketsIn(namespace: NetworkNamespace): readonly DiagSocket[] {
  return namespace.run(() => {
    using diag = new SockDiag();
    return ([4, 6] as const).flatMap((ipVersion) => diag.dump({ ipVersion }));
  });
}

/** Where Docker's engine answers for names, inside of each container's namespace: at a port that is nobody's business. */
const NAME_SERVER = '127.0.0.11';

/** Where programs listen, in the order of ports. */
export const listenersAmong = (sockets: readonly DiagSocket[]): readonly Address[] =>
  sockets
    .filter(({ state, local }) => state === 'LISTEN' && local.ip !== NAME_SERVER)
    .map(({ local }) => local)
    .toSorted((a, b) => a.port - b.port);

/** `port 80 listens`, `ports 80 and 443 listen`, `nothing listens`. */
export function listeningText(listeners: readonly Address[]): string {
  const ports = [...new Set(listeners.map(({ port }) => port))];
  const last = ports.pop();
  if (last === undefined) return 'nothing listens';
  return ports.length === 0 ? `port ${last} listens` : `ports ${ports.join(', ')} and ${last} listen`;
}
