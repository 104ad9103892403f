/** Memory outside of the JavaScript heap, at an address that stays: for structures that point at each other, and rings shared with the kernel. */
import koffi from 'koffi';
import { DeviceError, lastError, libc } from './libc.js';

const PROT_READ_WRITE = 0x3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

export class MappedMemory implements Disposable {
  private constructor(
    readonly address: bigint,
    /** Views of it must not be used once it is disposed of. */
    readonly buffer: ArrayBuffer,
  ) {}

  static anonymous(octets: number): MappedMemory {
    return MappedMemory.#map(octets, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  }

  /** What a file descriptor shares with the kernel. */
  static of(fd: number, octets: number): MappedMemory {
    return MappedMemory.#map(octets, MAP_SHARED, fd);
  }

  static #map(octets: number, flags: number, fd: number): MappedMemory {
    const address = BigInt(libc.mmap(null, octets, PROT_READ_WRITE, flags, fd, 0));
    if (address === MAP_FAILED)
      throw new DeviceError(lastError(), `mmap of ${octets} octets: ${lastError()}`);
    return new MappedMemory(address, koffi.view(address, octets));
  }

  [Symbol.dispose](): void {
    libc.munmap(this.address, this.buffer.byteLength);
  }
}
