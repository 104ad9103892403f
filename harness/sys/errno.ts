/** Errors of system calls as values with their names. */
import { constants } from 'node:os';
import koffi from 'koffi';

const NAMES = new Map<number, string>(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);
// Node's table has one name a number; where Linux has two, keep the one that socket calls document.
NAMES.set(11, 'EAGAIN');
NAMES.set(95, 'EOPNOTSUPP');

export const errnoName = (errno: number): string => NAMES.get(errno) ?? `errno ${errno}`;

/** A system call that failed. `code` is the errno's name. */
export class SysError extends Error {
  override readonly name = 'SysError';
  constructor(
    readonly code: string,
    readonly call: string,
  ) {
    super(`${call}: ${code}`);
  }
}

/** The result of a call that returns -1 on failure; throws `SysError` then. */
export function check(result: number, call: string): number {
  if (result < 0) throw new SysError(errnoName(koffi.errno()), call);
  return result;
}

/** Like `check`, with EAGAIN and EINTR as `undefined`: "not now". */
export function checkAgain(result: number, call: string): number | undefined {
  if (result >= 0) return result;
  const code = errnoName(koffi.errno());
  if (code === 'EAGAIN' || code === 'EINTR') return undefined;
  throw new SysError(code, call);
}

/** A call that blocks, repeated while signals interrupt it (EINTR). The caller looks at what else -1 means. */
export function uninterrupted(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0 || errnoName(koffi.errno()) !== 'EINTR') return result;
  }
}
