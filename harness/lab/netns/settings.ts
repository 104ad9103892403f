/** Kernel settings (sysctls) of a network namespace, written through /proc/sys/net as seen from inside. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { Side } from '../../fault/index.js';
import type { Settings } from '../lab.js';
import { checkSettingName, settingFailure, settingFile } from '../setting-names.js';

/** Of the namespace that the calling thread is in. Names are sysctls below `net.`, without that prefix. */
export function applySettings(settings: Settings, side: Side): void {
  for (const [name, value] of Object.entries(settings)) applySetting(name, String(value), side);
}

function applySetting(name: string, value: string, side: Side): void {
  checkSettingName(name);
  try {
    writeFileSync(settingFile(name), value, { flag: 'r+' });
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    throw settingFailure({ name, value, side, errno }, error);
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
