/** Connections of Node's own kind into a network namespace: for HTTP to a server that runs there. */
import { isIPv6, Socket } from 'node:net';
import {
  AF_INET,
  AF_INET6,
  check,
  encodeSockaddr,
  IPPROTO_TCP,
  libc,
  type NetworkNamespace,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../../sys/index.js';

/** Connected when it returns, so only for addresses that answer at once: the namespace's own. Throws the system's refusal. */
export function connectInside(namespace: NetworkNamespace, to: { ip: string; port: number }): Socket {
  const family = isIPv6(to.ip) ? AF_INET6 : AF_INET;
  const open = () => libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  const fd = check(namespace.run(open), 'socket');
  try {
    const address = encodeSockaddr(to);
    check(libc.connect(fd, address, address.length), 'connect');
    return new Socket({ fd, readable: true, writable: true });
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
