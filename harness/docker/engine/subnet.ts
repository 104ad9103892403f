/** Subnets for networks of containers: one that nothing else is known to use, chosen at random. Pure. */
import { isIPv4 } from 'node:net';
import { EngineError } from './engine-error.js';

/** 10.192.0.0/10: not what Docker, Kubernetes or home routers choose by themselves. */
const FIRST_OF_V4 = 10 * 2 ** 24 + 192 * 2 ** 16;
const NETWORKS_OF_V4 = 2 ** 14;
const LENGTH_OF_V4 = 24;
/** A unique local prefix (RFC 4193) with "las" as its number. */
const PREFIX_OF_V6 = 'fd6c:6173';
const TRIES = 1000;

/** A /24 that overlaps none of these. */
export function freeSubnetV4(taken: readonly string[], random: () => number = Math.random): string {
  const ranges = taken.flatMap((subnet) => rangeOf(subnet) ?? []);
  for (let i = 0; i < TRIES; i += 1) {
    const first = FIRST_OF_V4 + Math.floor(random() * NETWORKS_OF_V4) * 256;
    const last = first + 255;
    if (ranges.every((range) => range.last < first || range.first > last))
      return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${LENGTH_OF_V4}`;
  }
  throw new EngineError(
    'refused',
    'there is no free subnet in 10.192.0.0/10: remove networks that nobody uses (docker network ls)',
  );
}

/** A /64; of 2^32, so that asking for what is taken is hardly worth it. */
export function randomSubnetV6(random: () => number = Math.random): string {
  const group = (): string => Math.floor(random() * 0x1_0000).toString(16);
  return `${PREFIX_OF_V6}:${group()}:${group()}::/64`;
}

function rangeOf(subnet: string): { readonly first: number; readonly last: number } | undefined {
  const [address = '', length = '32'] = subnet.split('/');
  if (!isIPv4(address)) return undefined;
  const size = 2 ** (32 - Number(length));
  const value = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}
