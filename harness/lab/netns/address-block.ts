/**
 * Addresses for labs, different for all labs that live on this machine: tracepoints see every namespace at once and
 * tell labs apart by address. A process claims a block by binding an abstract unix socket, which the kernel gives back
 * whatever ends the process. Abstract names are per network namespace: a process that moves to another one brings the
 * number of a block claimed before (see `privilege.ts`).
 */
import { AF_UNIX, check, libc, SOCK_CLOEXEC, SOCK_DGRAM, SysError } from '../../sys/index.js';

/** Carries the block that was claimed for a process that moved into a user namespace. */
export const ADDRESS_BLOCK_VARIABLE = 'LASTACK_ADDRESS_BLOCK';
/** Processes on one machine: 198.18.0.0/15 (RFC 2544) in blocks of /22. */
const BLOCKS = 128;

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
