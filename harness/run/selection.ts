/** Which scenarios a caller asked for. */

import type { IpVersion, Scenario } from './scenario.js';
import type { Selected } from './scheduler.js';

export interface Filter {
  /** Names of suites (`close`) or ids of scenarios (`close/lost-final-ack`), `*` standing for any text. */
  readonly names?: readonly string[];
  /** Catalogue ids; a scenario is in when one of its checks is tied to one of them. */
  readonly requirements?: readonly string[];
  readonly tags?: readonly string[];
  readonly ipVersions?: readonly IpVersion[];
}

export const suiteOf = (scenario: Scenario): string => scenario.id.slice(0, scenario.id.indexOf('/'));

export function select(scenarios: readonly Scenario[], filter: Filter): readonly Selected[] {
  return scenarios
    .filter(
      (scenario) => isNamed(scenario, filter.names) && isTied(scenario, filter) && isTagged(scenario, filter),
    )
    .flatMap((scenario) =>
      (scenario.ipVersions ?? [4, 6])
        .filter((ipVersion) => filter.ipVersions?.includes(ipVersion) ?? true)
        .map((ipVersion) => ({ scenario, ipVersion })),
    );
}

/** Whether a name given by a person means this scenario. */
export function matchesName(scenario: Scenario, name: string): boolean {
  const pattern = new RegExp(`^${name.split('*').map(escapeRegExp).join('.*')}$`);
  return [suiteOf(scenario), scenario.id, scenario.id.slice(suiteOf(scenario).length + 1)].some((text) =>
    pattern.test(text),
  );
}

const isNamed = (scenario: Scenario, names?: readonly string[]): boolean =>
  names === undefined || names.length === 0 || names.some((name) => matchesName(scenario, name));

const isTied = (scenario: Scenario, { requirements }: Filter): boolean =>
  requirements === undefined ||
  scenario.checks.some((check) => check.requirements.some((id) => requirements.includes(id)));

const isTagged = (scenario: Scenario, { tags }: Filter): boolean =>
  tags === undefined || tags.some((tag) => scenario.tags?.includes(tag));

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
