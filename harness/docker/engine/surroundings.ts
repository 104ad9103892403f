/** Of this process: what says where its Docker engine is. */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Surroundings } from './engine-address.js';

export function surroundings(): Surroundings {
  const orNothing = <T>(look: () => T, nothing: T): T => {
    try {
      return look();
    } catch {
      return nothing;
    }
  };
  return {
    env: process.env,
    home: homedir(),
    read: (path) => orNothing(() => readFileSync(path, 'utf8'), undefined),
    list: (folder) => orNothing(() => readdirSync(folder), []),
  };
}
