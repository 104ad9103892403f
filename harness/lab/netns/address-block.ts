/**
 * Addresses for labs, different for all labs that live on this machine: tracepoints see every namespace at once and
 * tell labs apart by address. A process claims a block by binding an abstract unix socket, which the kernel gives back
 * whatever ends the process. Abstract names are per network namespace: a process that moves to another one brings the
 * number of a block claimed before (see `privilege.ts`).
 */
import type { Side } from '../../fault/index.js';
import { AF_UNIX, check, libc, SOCK_CLOEXEC, SOCK_DGRAM, SysError } from '../../sys/index.js';

/** Carries the block that was claimed for a process that moved into a user namespace. */
export const ADDRESS_BLOCK_VARIABLE = 'LASTACK_ADDRESS_BLOCK';
/** Labs of one process at once, and processes on one machine: 198.18.0.0/15 (RFC 2544) in blocks of /22. */
export const MAX_LABS = 256;
const BLOCKS = 128;
const ADDRESSES_PER_LAB = 4;

export interface LabAddresses {
  readonly prefixBits: number;
  ip(side: Side): string;
}

/** Claims the first free block; a `preferred` one if that is free. Holding the file descriptor is holding the block. */
export function claimBlock(preferred?: number): { readonly block: number; readonly fd: number } {
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket(AF_UNIX)');
  const all = Array.from({ length: BLOCKS }, (_, block) => block);
  for (const block of preferred === undefined ? all : [preferred, ...all]) {
    try {
      const address = abstractAddress(`lastack-addresses-${block}`);
      check(libc.bind(fd, address, address.length), 'bind(AF_UNIX)');
      return { block, fd };
    } catch (error) {
      if (!(error instanceof SysError && error.code === 'EADDRINUSE')) throw error;
    }
  }
  libc.close(fd);
  throw new Error(`all ${BLOCKS} address blocks are taken by running lastack processes: end some of them`);
}

function abstractAddress(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const address = new Uint8Array(3 + text.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(text, 3);
  return address;
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
    const number = this.#block * MAX_LABS + index;
    const addresses = ipVersion === 4 ? ipv4Addresses(number) : ipv6Addresses(number);
    return { ...addresses, [Symbol.dispose]: () => this.#free.push(index) };
  }
}

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
