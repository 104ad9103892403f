/** What a container must be for the own TCP to have a place in it. Pure. */
import { isIPv6 } from 'node:net';
import { type ContainerSpec, imageName } from '../../docker/index.js';
import type { Settings } from '../lab.js';

/** A container has /proc/sys read-only. What IPv4 needs rtnetlink sets; of IPv6 it can set none of these. */
const IPV6_SYSCTLS = {
  'net.ipv6.conf.all.disable_ipv6': '0',
  'net.ipv6.conf.default.disable_ipv6': '0',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv6.conf.all.proxy_ndp': '1',
} as const;

export interface OwnBoxContainerOptions {
  /** Of the container's network, and nobody's: not the container's own. */
  readonly ips: readonly [string, ...string[]];
  /** Of the stack, by the names that Linux has. */
  readonly settings?: Settings;
  /** Of the image; default: ours. */
  readonly image?: string;
}

type OwnBoxSpec = Required<Pick<ContainerSpec, 'image' | 'command' | 'capAdd' | 'sysctls' | 'stdio'>>;

/** Its stdin and stdout are the agent's, see `containerChannel`. */
export function ownBoxContainer({
  ips,
  settings = {},
  image = imageName('stack'),
}: OwnBoxContainerOptions): OwnBoxSpec {
  const given = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  return {
    image,
    command: [...ips.flatMap((ip) => ['--ip', ip]), ...given],
    capAdd: ['NET_ADMIN', 'NET_RAW'],
    sysctls: ips.some(isIPv6) ? IPV6_SYSCTLS : {},
    stdio: true,
  };
}
