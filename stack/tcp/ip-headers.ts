/** The IP headers that segments leave in. */
import type { Segment } from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import type { TcpSettings } from './settings.js';

const NOTHING = new Uint8Array(0);
const ECT_0 = 0b10;

export interface Envelope {
  readonly settings: Pick<TcpSettings, 'hopLimit' | 'dscp' | 'pathMtuDiscovery'>;
  readonly local: { readonly ip: string };
  readonly remote: { readonly ip: string };
  readonly ipVersion: 4 | 6;
  readonly flowLabel?: number;
  readonly allowsFragments?: boolean;
}

/** The IP headers of a connection's segments: RFC 9293 MUST-48 and MUST-49, RFC 1191's DF, RFC 6437's flow label. */
export function ipHeaders(envelope: Envelope): Pick<ControlBlock, 'ip' | 'ipEct'> {
  const { settings, local, remote, ipVersion, flowLabel = 0, allowsFragments = false } = envelope;
  const dontFragment = settings.pathMtuDiscovery !== 'off' && !allowsFragments;
  const header = (ecn: number): Segment['ip'] => {
    const trafficClass = (settings.dscp << 2) | ecn;
    const [src, dst, ttl] = [local.ip, remote.ip, settings.hopLimit];
    return ipVersion === 4
      ? ipv4Header({ src, dst, ttl, trafficClass, dontFragment })
      : ipv6Header({ src, dst, ttl, trafficClass, flowLabel });
  };
  return { ip: header(0), ipEct: header(ECT_0) };
}

/** The same after what they follow from has changed. */
export function readdress(block: ControlBlock): void {
  const { settings, local, remote, ip, allowsFragments } = block;
  const flowLabel = ip.version === 6 ? ip.flowLabel : 0;
  const envelope = { settings, local, remote, ipVersion: ip.version, flowLabel, allowsFragments };
  Object.assign(block, ipHeaders(envelope));
}

export const ipv4Header = ({
  src,
  dst,
  ttl,
  trafficClass,
  dontFragment,
}: {
  readonly src: string;
  readonly dst: string;
  readonly ttl: number;
  readonly trafficClass: number;
  readonly dontFragment: boolean;
}): Segment['ip'] => ({
  version: 4,
  src,
  dst,
  ttl,
  trafficClass,
  identification: 0,
  dontFragment,
  options: NOTHING,
});

export const ipv6Header = (fields: {
  readonly src: string;
  readonly dst: string;
  readonly ttl: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
}): Segment['ip'] => ({ version: 6, extensions: NOTHING, nextHeader: 6, ...fields });
