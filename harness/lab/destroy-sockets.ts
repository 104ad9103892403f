/**
 * Ends the sockets that a namespace still has when its lab is closed. An orphan (closed by its user, not yet by its
 * protocol) holds its namespace until TCP gives up, which can take minutes.
 */
import { type DiagSocket, SockDiag } from '../observe/index.js';
import { ipBytes } from '../segment/index.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  NETLINK_SOCK_DIAG,
  type NetlinkRequest,
  NetlinkSocket,
  type NetworkNamespace,
  NLM_F_ACK,
  SysError,
} from '../sys/index.js';

/** uapi/linux/sock_diag.h */
const SOCK_DESTROY = 21;
/** `struct inet_diag_req_v2` */
const REQUEST_OCTETS = 56;
const ALL_STATES = 0xffffffff;
/** It was gone before us; the kernel was built without CONFIG_INET_DIAG_DESTROY, and TCP's own timers have to do. */
const HARMLESS = new Set(['ENOENT', 'EOPNOTSUPP']);

export function destroySockets(namespace: NetworkNamespace, ipVersion: 4 | 6): void {
  namespace.run(() => {
    using diag = new SockDiag();
    const sockets = diag.dump({ ipVersion });
    if (sockets.length === 0) return;
    using netlink = new NetlinkSocket(NETLINK_SOCK_DIAG);
    for (const socket of sockets) destroy(netlink, socket, ipVersion);
  });
}

function destroy(netlink: NetlinkSocket, socket: DiagSocket, ipVersion: 4 | 6): void {
  try {
    netlink.request(destroyRequest(socket, ipVersion));
  } catch (error) {
    if (!(error instanceof SysError && HARMLESS.has(error.code))) throw error;
  }
}

export function destroyRequest({ local, remote, cookie }: DiagSocket, ipVersion: 4 | 6): NetlinkRequest {
  const body = new Uint8Array(REQUEST_OCTETS);
  const view = new DataView(body.buffer);
  body[0] = ipVersion === 4 ? AF_INET : AF_INET6;
  body[1] = IPPROTO_TCP;
  view.setUint32(4, ALL_STATES, true);
  view.setUint16(8, local.port);
  view.setUint16(10, remote.port);
  body.set(ipBytes(local.ip), 12);
  body.set(ipBytes(remote.ip), 28);
  view.setBigUint64(48, BigInt(cookie), true);
  return { type: SOCK_DESTROY, flags: NLM_F_ACK, body, what: 'sock_diag destroy' };
}
