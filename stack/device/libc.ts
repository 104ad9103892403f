/** The calls of the C library that devices need, bound once; names and arguments are the manual pages'. None of them blocks here. */
import { constants } from 'node:os';
import koffi from 'koffi';

const library = koffi.load('libc.so.6');
const bind = <F extends (...args: never[]) => number | bigint>(prototype: string): F =>
  library.func(prototype) as unknown as F;

export const libc = {
  close: bind<(fd: number) => number>('int close(int)'),
  open: bind<(path: string, flags: number) => number>('int open(const char*, int)'),
  read: bind<(fd: number, buffer: Uint8Array, size: number) => number>('long read(int, void*, size_t)'),
  write: bind<(fd: number, buffer: Uint8Array, size: number) => number>(
    'long write(int, const void*, size_t)',
  ),
  socket: bind<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)'),
  bind: bind<(fd: number, address: Uint8Array, size: number) => number>('int bind(int, const void*, uint)'),
  setsockopt: bind<(fd: number, level: number, name: number, value: Uint8Array, size: number) => number>(
    'int setsockopt(int, int, int, const void*, uint)',
  ),
  ioctl: bind<(fd: number, request: number, argument: Uint8Array) => number>('int ioctl(int, ulong, void*)'),
  /** For requests whose argument is a number. */
  ioctlNumber: bind<(fd: number, request: number, argument: number) => number>(
    'int ioctl(int, ulong, ulong)',
  ),
  sendmmsg: bind<(fd: number, headers: Uint8Array, count: number, flags: number) => number>(
    'int sendmmsg(int, void*, uint, int)',
  ),
  mmap: bind<
    (
      hint: null,
      octets: number,
      protection: number,
      flags: number,
      fd: number,
      offset: number,
    ) => number | bigint
  >('uintptr_t mmap(void*, size_t, int, int, int, long)'),
  munmap: bind<(address: bigint, octets: number) => number>('int munmap(uintptr_t, size_t)'),
} as const;

const NAMES = new Map<number, string>(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);
// Node's table has one name a number; where Linux has two, keep the one that the manual pages use.
NAMES.set(11, 'EAGAIN');

/** The errno of the call before, by its name. */
export const lastError = (): string => NAMES.get(koffi.errno()) ?? `errno ${koffi.errno()}`;

/** A device that cannot be had. The message says what, why, and what to do about it; `code` is the errno's name. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The result of a call that returns -1 on failure; throws then. */
export function check(result: number, call: string): number {
  if (result >= 0) return result;
  const code = lastError();
  throw new DeviceError(code, `${call}: ${code}`);
}
