/** An address for a scripted peer in a network of containers: one that nobody there has. Pure. */
import { ipBytes, ipv4Text, ipv6Text } from '../../segment/index.js';

/** The last of the subnet that is free; engines give addresses from the first on. */
export function peerAddress(
  subnets: readonly string[],
  { ipVersion, taken }: { readonly ipVersion: 4 | 6; readonly taken: readonly string[] },
): string {
  const subnet = subnets.find((each) => each.includes(':') === (ipVersion === 6));
  if (subnet === undefined) throw new RangeError(`the network has no IPv${ipVersion} addresses`);
  const [base = '', bits = ''] = subnet.split('/');
  const hostBits = (ipVersion === 4 ? 32 : 128) - Number(bits);
  // The very last one of IPv4 is the broadcast address.
  for (let fromEnd = 2; fromEnd < 2 ** Math.min(hostBits, 8); fromEnd += 1) {
    const ip = fromTheEnd(base, hostBits, fromEnd);
    if (!taken.includes(ip)) return ip;
  }
  throw new RangeError(`the network ${subnet} has no address left for the scripted peer`);
}

function fromTheEnd(base: string, hostBits: number, fromEnd: number): string {
  const octets = ipBytes(base);
  const value = octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  const last = value + (1n << BigInt(hostBits)) - BigInt(fromEnd);
  const at = octets.map((_, i) => Number((last >> BigInt(8 * (octets.length - 1 - i))) & 0xffn));
  return at.length === 4 ? ipv4Text(at) : ipv6Text(at);
}
