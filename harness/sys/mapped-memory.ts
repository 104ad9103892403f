/**
 * Memory outside the JavaScript heap, at an address that stays: for structures that point at each other (`struct
 * iovec`) and for rings shared with the kernel.
 */
import koffi from 'koffi';
import { errnoName, SysError } from './errno.js';

const PROT_READ_WRITE = 0x3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;

const library = koffi.load('libc.so.6');
const mmap = library.func('uintptr_t mmap(void*, size_t, int, int, int, long)') as unknown as (
  hint: null,
  octets: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
) => number | bigint;
const munmap = library.func('int munmap(uintptr_t, size_t)') as unknown as (
  address: bigint,
  octets: number,
) => number;

export class MappedMemory {
  private constructor(
    readonly address: bigint,
    /** Views of it must not be used after `unmap`. */
    readonly buffer: ArrayBuffer,
  ) {}

  /** Zeroed memory of the process's own. */
  static anonymous(octets: number): MappedMemory {
    return MappedMemory.#map(octets, MAP_PRIVATE | MAP_ANONYMOUS, -1, 'mmap of anonymous memory');
  }

  /** What a file descriptor shares with the kernel, from its beginning. */
  static of(fd: number, octets: number): MappedMemory {
    return MappedMemory.#map(octets, MAP_SHARED, fd, 'mmap of a file descriptor');
  }

  static #map(octets: number, flags: number, fd: number, what: string): MappedMemory {
    const address = BigInt(mmap(null, octets, PROT_READ_WRITE, flags, fd, 0));
    // MAP_FAILED is (void*) -1.
    if (address === 0xffff_ffff_ffff_ffffn) throw new SysError(errnoName(koffi.errno()), what);
    return new MappedMemory(address, koffi.view(address, octets));
  }

  unmap(): void {
    munmap(this.address, this.buffer.byteLength);
  }
}
