/** Kernel settings (sysctls) of a network namespace, written through /proc/sys/net as seen from inside. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { Side } from '../../fault/index.js';
import { messageOf } from '../../text/index.js';
import type { Settings } from '../lab.js';

const NAME = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;

/** Of the namespace that the calling thread is in. Names are sysctls below `net.`, without that prefix. */
export function applySettings(settings: Settings, side: Side): void {
  for (const [name, value] of Object.entries(settings)) applySetting(name, String(value), side);
}

function applySetting(name: string, value: string, side: Side): void {
  if (!NAME.test(name))
    throw new RangeError(`"${name}" is no kernel setting's name: write one such as ipv4.tcp_orphan_retries`);
  try {
    writeFileSync(settingFile(name), value, { flag: 'r+' });
  } catch (error) {
    throw new Error(`${side}: kernel setting net.${name} = ${value} failed: ${explain(error)}`, {
      cause: error,
    });
  }
}

/** For settings of a protocol that the kernel may lack altogether. */
export function writeIfThere(file: string, value: string): void {
  try {
    writeFileSync(file, value, { flag: 'r+' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** What a setting is now; undefined where the kernel has none of that name. */
export function readSetting(name: string): string | undefined {
  try {
    return readFileSync(settingFile(name), 'utf8').trim();
  } catch {
    return undefined;
  }
}

const settingFile = (name: string): string => `/proc/sys/net/${name.replaceAll('.', '/')}`;

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
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
      return messageOf(error);
  }
}
