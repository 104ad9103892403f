/** Kernel settings by name, and what to say when one cannot be set. */
import type { Side } from '../fault/index.js';
import { messageOf } from '../text/index.js';

const NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;

/** Names are sysctls below `net.`, without that prefix. Throws one sentence for what is none. */
export function checkSettingName(name: string): void {
  if (!NAME.test(name))
    throw new RangeError(`"${name}" is no kernel setting's name: write one such as ipv4.tcp_orphan_retries`);
}

/** As seen from inside the network namespace. */
export const settingFile = (name: string): string => `/proc/sys/net/${name.replaceAll('.', '/')}`;

export interface RefusedSetting {
  readonly name: string;
  readonly value: string;
  readonly side: Side;
  /** The errno's name, where there is one. */
  readonly errno: string | undefined;
}

export const settingFailure = ({ name, value, side, errno }: RefusedSetting, cause: unknown): Error =>
  new Error(`${side}: kernel setting net.${name} = ${value} failed: ${explain(errno) ?? messageOf(cause)}`, {
    cause,
  });

function explain(errno: string | undefined): string | undefined {
  switch (errno) {
    case 'ENOENT':
      return 'this kernel has no such setting for a network namespace; see /proc/sys/net for those it has';
    case 'EACCES':
    case 'EPERM':
      return 'it cannot be set inside a network namespace';
    case 'EINVAL':
    case 'ERANGE':
      return 'the kernel does not take that value';
    case 'EROFS':
      return '/proc/sys is mounted read-only: give the container a writable one (docker run --privileged)';
    default:
      return undefined;
  }
}
