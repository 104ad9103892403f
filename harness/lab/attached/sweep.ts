/** Finds what lastacks that were killed left in the network namespaces of this machine, and takes it away. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NetworkNamespace } from '../../sys/index.js';
import { AttachRefused } from './attach-errors.js';
import { countRules, sweepRules } from './namespace-rules.js';

/** Where `ip netns` and Docker keep namespaces that no process needs to be in. */
const FOLDERS = ['/run/netns', '/var/run/docker/netns'];

export interface Swept {
  readonly namespaces: number;
  /** Of ours, before and after. */
  readonly rulesBefore: number;
  readonly rulesAfter: number;
  readonly removed: number;
  /** Why some namespaces could not be looked into: each sentence once. */
  readonly refused: readonly string[];
}

export function sweepNamespaces(): Swept {
  let [rulesBefore, rulesAfter, removed] = [0, 0, 0];
  const refused = new Set<string>();
  const paths = namespacePaths();
  for (const path of paths) {
    try {
      using namespace = NetworkNamespace.ofPath(path);
      const before = countRules(namespace);
      rulesBefore += before;
      if (before === 0) continue;
      removed += sweepRules(namespace);
      rulesAfter += countRules(namespace);
    } catch (error) {
      // One that has gone meanwhile has nothing left in it.
      if (error instanceof AttachRefused) refused.add(error.message);
    }
  }
  return { namespaces: paths.length, rulesBefore, rulesAfter, removed, refused: [...refused] };
}

/** A path to each network namespace that can be seen, once. */
export function namespacePaths(): readonly string[] {
  const byInode = new Map<string, string>();
  const note = (path: string): void => {
    try {
      const { dev, ino } = statSync(path);
      const key = `${dev} ${ino}`;
      if (!byInode.has(key)) byInode.set(key, path);
    } catch {
      // It has ended, or is somebody else's.
    }
  };
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) note(`/proc/${name}/ns/net`);
  for (const folder of FOLDERS) for (const name of listed(folder)) note(join(folder, name));
  return [...byInode.values()];
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
