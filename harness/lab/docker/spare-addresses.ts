/** Addresses in a network of containers for stacks that no container is: a scripted peer, the own TCP. Pure. */
import type { Side } from '../../fault/index.js';
import { ipBytes, ipv4Text, ipv6Text } from '../../segment/index.js';

/** The very last one of IPv4 is the broadcast address. */
const FROM_THE_END = { client: 2, server: 3 } as const satisfies Record<Side, number>;
const LEAST_HOST_BITS = 3;

/** Near the end of the subnet, for the client and for the server: engines give addresses from the first on. */
export function spareAddresses(
  subnets: readonly string[],
  ipVersion: 4 | 6,
): readonly [client: string, server: string] {
  const subnet = subnets.find((each) => each.includes(':') === (ipVersion === 6));
  if (subnet === undefined) throw new RangeError(`the network has no IPv${ipVersion} addresses`);
  const [base = '', bits = ''] = subnet.split('/');
  const hostBits = (ipVersion === 4 ? 32 : 128) - Number(bits);
  if (hostBits < LEAST_HOST_BITS)
    throw new RangeError(`the network ${subnet} is too small for stacks beside the containers' kernels`);
  return [fromTheEnd(base, hostBits, FROM_THE_END.client), fromTheEnd(base, hostBits, FROM_THE_END.server)];
}

function fromTheEnd(base: string, hostBits: number, fromEnd: number): string {
  const octets = ipBytes(base);
  const value = octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  const last = value + (1n << BigInt(hostBits)) - BigInt(fromEnd);
  const at = octets.map((_, i) => Number((last >> BigInt(8 * (octets.length - 1 - i))) & 0xffn));
  return at.length === 4 ? ipv4Text(at) : ipv6Text(at);
}
