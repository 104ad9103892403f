/** Finds what lastacks that were killed left in the network namespaces of this machine, and takes it away. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NetworkNamespace } from '../../sys/index.js';
import { RulesUnavailable, sweepEndedRules } from '../../wire/index.js';
import { AttachRefused } from './attach-errors.js';
import { countRules, sweepRules } from './namespace-rules.js';

/** Where `ip netns` and Docker keep namespaces that no process needs to be in. */
const FOLDERS = ['/run/netns', '/var/run/docker/netns'];

/** Of ours, whoever's. */
export interface SweptRules {
  readonly before: number;
  readonly removed: number;
  readonly after: number;
}

export interface Swept {
  readonly namespaces: number;
  /** That queued segments for attached wires. */
  readonly attached: SweptRules;
  /** That `AppliedRules` applied: chains, tables, qdiscs. */
  readonly applied: SweptRules;
  /** Why some namespaces could not be looked into: each sentence once. */
  readonly refused: readonly string[];
}

/** Each takes some processes of iptables, nft and tc. */
const AT_ONCE = 4;

export async function sweepNamespaces(): Promise<Swept> {
  const paths = namespacePaths();
  const attached = { before: 0, removed: 0, after: 0 };
  const applied = { before: 0, removed: 0, after: 0 };
  const refused = new Set<string>();
  const waiting = [...paths];
  const worker = async (): Promise<void> => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop())
      try {
        // Held open: it stays a namespace, whoever leaves it meanwhile.
        using namespace = NetworkNamespace.ofPath(path);
        add(attached, sweepAttached(namespace));
        add(applied, await sweepEndedRules({ namespace: `/proc/${process.pid}/fd/${namespace.fd}` }));
      } catch (error) {
        // One that had gone has nothing left in it, and neither has a file that is none any more.
        if (error instanceof AttachRefused || error instanceof RulesUnavailable) refused.add(error.message);
      }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { namespaces: paths.length, attached, applied, refused: [...refused] };
}

function add(sum: { -readonly [K in keyof SweptRules]: number }, more: SweptRules): void {
  sum.before += more.before;
  sum.removed += more.removed;
  sum.after += more.after;
}

function sweepAttached(namespace: NetworkNamespace): SweptRules {
  const before = countRules(namespace);
  if (before === 0) return { before, removed: 0, after: 0 };
  return { before, removed: sweepRules(namespace), after: countRules(namespace) };
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
