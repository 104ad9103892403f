/** Errors as Node's own sockets report them: code, errno, system call, and where to. */
import { constants } from 'node:os';

export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly address?: string;
  readonly port?: number;
}

const NUMBERS: Readonly<Record<string, number>> = constants.errno;

export function systemError(
  code: string,
  syscall: string,
  where: { readonly address?: string | undefined; readonly port?: number | undefined } = {},
): SystemError {
  const { address, port } = where;
  const place = address === undefined ? '' : ` ${address}${port === undefined ? '' : `:${port}`}`;
  return Object.assign(new Error(`${syscall} ${code}${place}`), {
    code,
    errno: -(NUMBERS[code] ?? 0),
    syscall,
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
  });
}

/** Errors of Node's own making, which no system call explains. */
export const nodeError = (code: string, message: string): Error & { readonly code: string } =>
  Object.assign(new Error(message), { code });
