/** The two addresses of each lab, by number. */
import type { Side } from '../fault/index.js';

/** Labs of one process at once. */
export const MAX_LABS = 256;
const ADDRESSES_PER_LAB = 4;

export interface LabAddresses {
  readonly prefixBits: number;
  ip(side: Side): string;
}

/** Hands out the addresses of one block. Those given back come again last, when nothing speaks of them any more. */
export class AddressPool {
  readonly #block: number;
  readonly #free = Array.from({ length: MAX_LABS }, (_, index) => index);

  constructor(block: number) {
    this.#block = block;
  }

  /** Disposing of them gives them back. */
  take(ipVersion: 4 | 6): LabAddresses & Disposable {
    const index = this.#free.shift();
    if (index === undefined)
      throw new Error(`${MAX_LABS} labs are open in this process: close some, or run fewer jobs at once`);
    const addresses = labAddresses(this.#block * MAX_LABS + index, ipVersion);
    return { ...addresses, [Symbol.dispose]: () => this.#free.push(index) };
  }
}

/** Those of a lab, by its number among all that there can be. */
export const labAddresses = (number: number, ipVersion: 4 | 6): LabAddresses =>
  ipVersion === 4 ? ipv4Addresses(number) : ipv6Addresses(number);

/** 198.18.0.1 and 198.18.0.2 are the first lab's. */
function ipv4Addresses(number: number): LabAddresses {
  return {
    prefixBits: 30,
    ip(side) {
      const at = number * ADDRESSES_PER_LAB + (side === 'client' ? 1 : 2);
      return `198.${18 + (at >> 16)}.${(at >> 8) & 0xff}.${at & 0xff}`;
    },
  };
}

/** fd00::1 and fd00::2 are the first lab's, fd00::1:1 and fd00::1:2 the second's (RFC 4193). */
function ipv6Addresses(number: number): LabAddresses {
  return {
    prefixBits: 112,
    ip: (side) => `fd00::${number === 0 ? '' : `${number.toString(16)}:`}${side === 'client' ? 1 : 2}`,
  };
}
