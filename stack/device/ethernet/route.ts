/** Where a packet goes next: to its destination on the link, or to the gateway. */
import { ipBytes } from '../../../harness/segment/index.js';

export interface OwnAddress {
  readonly ip: string;
  readonly octets: Uint8Array;
  readonly prefixBits: number;
}

/** `192.0.2.1/24` or `2001:db8::1/64`; without a prefix nothing else is of its network. */
export function parseAddress(text: string): OwnAddress {
  const [ip = '', bits, ...more] = text.split('/');
  const octets = ipBytes(ip);
  const most = octets.length * 8;
  const prefixBits = bits === undefined ? most : Number(bits);
  if (more.length > 0 || !Number.isInteger(prefixBits) || prefixBits < 0 || prefixBits > most || bits === '')
    throw new RangeError(`"${text}" is no address with a prefix: write one such as 192.0.2.1/24`);
  return { ip, octets, prefixBits };
}

export function isOnLink({ octets, prefixBits }: OwnAddress, destination: Uint8Array): boolean {
  if (octets.length !== destination.length) return false;
  for (let bit = 0; bit < prefixBits; bit += 8) {
    const mask = prefixBits - bit >= 8 ? 0xff : (0xff00 >> (prefixBits - bit)) & 0xff;
    if (((octets[bit >> 3] ?? 0) & mask) !== ((destination[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}

export class Routes {
  readonly #addresses: readonly OwnAddress[];
  readonly #gateways: readonly { readonly ip: string; readonly octets: Uint8Array }[];

  /** Addresses as `parseAddress` reads them. */
  constructor(addresses: readonly string[], gateways: readonly string[] = []) {
    this.#addresses = addresses.map(parseAddress);
    this.#gateways = gateways.map((ip) => ({ ip, octets: ipBytes(ip) }));
  }

  /** The gateway for a destination of another network; undefined: it is of this one, or there is no gateway, and all is on the link. */
  gatewayFor(destination: Uint8Array): string | undefined {
    if (this.#addresses.some((address) => isOnLink(address, destination))) return undefined;
    return this.#gateways.find(({ octets }) => octets.length === destination.length)?.ip;
  }

  /** The own address to ask from. */
  sourceFor(destination: Uint8Array): OwnAddress | undefined {
    return (
      this.#addresses.find((address) => isOnLink(address, destination)) ??
      this.#addresses.find(({ octets }) => octets.length === destination.length)
    );
  }
}
