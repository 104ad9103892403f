/** Our rules in one network namespace: added together, counted, and taken out by exactly their tag, whatever else is there. */
import { type NetworkNamespace, startOfProcess } from '../../sys/index.js';
import {
  addRules,
  type OwnedRule,
  ownedRules,
  type RuleOwner,
  removeRules,
  ruleTag,
} from '../../wire/index.js';
import { AttachRefused } from './attach-errors.js';
import { boundQueues, hasIpv6, restoreRules, savedRules } from './iptables.js';

const VERSIONS = [4, 6] as const;
/** One for each end of a segment, at the input and at the output. */
const RULES_OF_A_VERSION = 4;

interface FoundRules {
  readonly version: 4 | 6;
  readonly rules: readonly OwnedRule[];
}

export class NamespaceRules implements Disposable {
  readonly #namespace: NetworkNamespace;
  readonly #owner: RuleOwner;
  readonly #versions: readonly (4 | 6)[];
  readonly #removeAtExit = () => this.#removeQuietly();
  #removed: number | undefined;

  /** Adds the rules. Throws `AttachRefused`, with nothing left behind. */
  constructor(
    namespace: NetworkNamespace,
    { port, queue }: { readonly port: number; readonly queue: number },
  ) {
    this.#namespace = namespace;
    this.#owner = { pid: process.pid, start: startOfProcess(process.pid) ?? '0', port, queue };
    this.#versions = hasIpv6(namespace) ? VERSIONS : [4];
    refuseSecond(namespace, this.#versions, this.#owner);
    process.once('exit', this.#removeAtExit);
    try {
      for (const version of this.#versions) restoreRules(namespace, version, addRules(this.#owner));
    } catch (error) {
      this.#removeQuietly();
      throw error;
    }
  }

  /** How many were added, and taken out again; fewer where somebody else removed them. */
  get counts(): { readonly added: number; readonly removed: number } {
    return { added: this.#versions.length * RULES_OF_A_VERSION, removed: this.#removed ?? 0 };
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
    process.removeListener('exit', this.#removeAtExit);
    const tag = ruleTag(this.#owner);
    this.#removed = removeWhere(this.#namespace, this.#versions, (rule) => ruleTag(rule) === tag);
  }
}

/** Of two wires at one port, only one would be asked. */
function refuseSecond(
  namespace: NetworkNamespace,
  versions: readonly (4 | 6)[],
  { port, queue }: RuleOwner,
): void {
  const others = [...boundQueues(namespace)].filter((number) => number !== queue);
  if (others.length === 0) return;
  const living = found(namespace, versions)
    .flatMap(({ rules }) => rules)
    .find((rule) => rule.port === port && others.includes(rule.queue));
  if (living !== undefined)
    throw new AttachRefused(
      `another lastack (process ${living.pid}) is attached to port ${port} there: end it first`,
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
