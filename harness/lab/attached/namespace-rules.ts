/** Our rules in one network namespace: added together, counted, and taken out by exactly their tag, whatever else is there. */
import { ipVersion } from '../../segment/index.js';
import { type NetworkNamespace, startOfProcess } from '../../sys/index.js';
import {
  addRules,
  mayOverlap,
  type OwnedRule,
  ownedRules,
  portOf,
  type QueuedSegments,
  type RuleOwner,
  removeRules,
  ruleCount,
  ruleTag,
} from '../../wire/index.js';
import { atExit } from './at-exit.js';
import { AttachRefused } from './attach-errors.js';
import { boundQueues, hasIpv6, restoreRules, savedRules } from './iptables.js';

const VERSIONS = [4, 6] as const;

/** How many rules were added, and how many of them were there to be taken out at the end. */
export interface RuleCounts {
  readonly added: number;
  readonly removed: number;
}

interface FoundRules {
  readonly version: 4 | 6;
  readonly rules: readonly OwnedRule[];
}

export class NamespaceRules implements Disposable {
  readonly #namespace: NetworkNamespace;
  readonly #owner: RuleOwner;
  readonly #versions: readonly (4 | 6)[];
  readonly #rulesOfAVersion: number;
  #removeAtExit: Disposable | undefined;
  #removed: number | undefined;

  /** Adds the rules. Throws `AttachRefused`, with nothing left behind. */
  constructor(
    namespace: NetworkNamespace,
    { segments, queue }: { readonly segments: QueuedSegments; readonly queue: number },
  ) {
    const start = startOfProcess(process.pid) ?? '0';
    this.#namespace = namespace;
    this.#owner = { pid: process.pid, start, port: portOf(segments), queue };
    this.#versions = versionsOf(segments, namespace);
    this.#rulesOfAVersion = ruleCount(segments);
    refuseSecond(namespace, { versions: this.#versions, segments, queue });
    this.#removeAtExit = atExit(() => this.#removeQuietly());
    try {
      for (const version of this.#versions) restoreRules(namespace, version, addRules(this.#owner, segments));
    } catch (error) {
      this.#removeQuietly();
      throw error;
    }
  }

  /** How many were added, and taken out again; fewer where somebody else removed them. */
  get counts(): RuleCounts {
    return { added: this.#versions.length * this.#rulesOfAVersion, removed: this.#removed ?? 0 };
  }

  /** Where something else went wrong before, that is what is told. */
  #removeQuietly(): void {
    try {
      this[Symbol.dispose]();
    } catch {
      // `lastack clean` finds them.
    }
  }

  [Symbol.dispose](): void {
    if (this.#removed !== undefined) return;
    this.#removed = 0;
    this.#removeAtExit?.[Symbol.dispose]();
    const tag = ruleTag(this.#owner);
    this.#removed = removeWhere(this.#namespace, this.#versions, (rule) => ruleTag(rule) === tag);
  }
}

function versionsOf(segments: QueuedSegments, namespace: NetworkNamespace): readonly (4 | 6)[] {
  if (segments.kind === 'between') return [ipVersion(segments.source) ?? 4];
  return hasIpv6(namespace) ? VERSIONS : [4];
}

interface Wanted {
  readonly versions: readonly (4 | 6)[];
  readonly segments: QueuedSegments;
  readonly queue: number;
}

/** Of two wires for the same segments, only one would be asked. */
function refuseSecond(namespace: NetworkNamespace, { versions, segments, queue }: Wanted): void {
  const others = [...boundQueues(namespace)].filter((number) => number !== queue);
  if (others.length === 0) return;
  const living = found(namespace, versions)
    .flatMap(({ rules }) => rules)
    .find((rule) => rule.table === 'mangle' && others.includes(rule.queue) && mayOverlap(rule, segments));
  if (living === undefined) return;
  const what = living.port === 0 ? 'connections' : `port ${living.port}`;
  throw new AttachRefused(
    `another lastack (process ${living.pid}) is attached to ${what} there: end it first`,
  );
}

/**
 * Takes out the rules of lastacks that have ended; the number of them. One that lives reads its queue, also where its process cannot be
 * seen from here.
 */
export function sweepRules(namespace: NetworkNamespace): number {
  const bound = boundQueues(namespace);
  return removeWhere(namespace, VERSIONS, (rule) => !bound.has(rule.queue));
}

/** All rules of ours there, whoever's. */
export const countRules = (namespace: NetworkNamespace): number =>
  found(namespace, VERSIONS).reduce((sum, { rules }) => sum + rules.length, 0);

function found(namespace: NetworkNamespace, versions: readonly (4 | 6)[]): readonly FoundRules[] {
  return versions.map((version) => ({ version, rules: ownedRules(savedRules(namespace, version)) }));
}

function removeWhere(
  namespace: NetworkNamespace,
  versions: readonly (4 | 6)[],
  isGone: (rule: OwnedRule) => boolean,
): number {
  let removed = 0;
  for (const { version, rules } of found(namespace, versions)) {
    const gone = rules.filter(isGone);
    if (gone.length === 0) continue;
    restoreRules(namespace, version, removeRules(gone));
    removed += gone.length;
  }
  return removed;
}
