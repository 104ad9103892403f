/** Tries what a lab is made of: two namespaces, a link between them, and a socket that reads it. */
import { AF_PACKET, check, libc, NetworkNamespace, SOCK_CLOEXEC, SOCK_DGRAM } from '../../sys/index.js';
import { Rtnetlink } from './rtnetlink.js';
import { LINK_MAC } from './wire-thread.js';

/** Throws the `SysError` of the first step that fails. Leaves nothing behind. */
export function probeNetns(): void {
  using near = NetworkNamespace.create();
  using far = NetworkNamespace.create();
  near.run(() => probeInside(far));
}

function probeInside(far: NetworkNamespace): void {
  const end = { name: 'probe', index: 3, mac: LINK_MAC, namespaceFd: far.fd };
  using rtnetlink = new Rtnetlink();
  rtnetlink.addVeth({ name: 'probe', index: 2, mac: LINK_MAC, mtu: 1500, far: end });
  libc.close(check(libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_PACKET)'));
}
