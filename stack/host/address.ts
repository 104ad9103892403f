/** IP addresses, as text, and what kind of address they are. */
import type { Segment } from '../../harness/segment/index.js';
import type { SocketAddress } from '../tcp/index.js';

/** The unspecified addresses: of a listener, all of the host's. */
export const ANY = { 4: '0.0.0.0', 6: '::' } as const;

export const versionOf = (ip: string): 4 | 6 => (ip.includes(':') ? 6 : 4);

export const isAny = (ip: string): boolean => ip === ANY[4] || ip === ANY[6];

/** Multicast, and the limited broadcast. */
export const isGroup = (ip: string): boolean => {
  if (ip.includes(':')) return ip.toLowerCase().startsWith('ff');
  const first = Number.parseInt(ip, 10);
  return first >= 224 && first < 240 ? true : ip === '255.255.255.255';
};

/** Both sockets of a segment that came, as this host sees them. */
export const endsOf = ({
  ip,
  srcPort,
  dstPort,
}: Segment): { readonly local: SocketAddress; readonly remote: SocketAddress } => ({
  local: { ip: ip.dst, port: dstPort },
  remote: { ip: ip.src, port: srcPort },
});
