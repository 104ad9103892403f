/** Which scenarios a caller asked for, and which of them the lab's clock rules out. */

import { humanTime } from '../text/index.js';
import type { IpVersion, Scenario } from './scenario.js';
import type { Selected } from './scheduler.js';

export interface Filter {
  /** Names of suites (`close`) or ids of scenarios (`close/lost-final-ack`), `*` standing for any text. */
  readonly names?: readonly string[];
  /** Catalogue ids; a scenario is in when one of its checks is tied to one of them. */
  readonly requirements?: readonly string[];
  readonly tags?: readonly string[];
  readonly ipVersions?: readonly IpVersion[];
  /**
   * The clock of the lab (default `real`). Scenarios that are too long for real time are left out there, unless a name asks
   * for them: then they are selected with the reason why they cannot be played.
   */
  readonly clock?: 'real' | 'virtual';
}

export const suiteOf = (scenario: Pick<Scenario, 'id'>): string =>
  scenario.id.slice(0, scenario.id.indexOf('/'));

export function select(scenarios: readonly Scenario[], filter: Filter): readonly Selected[] {
  return scenarios
    .filter(
      (scenario) => isNamed(scenario, filter.names) && isTied(scenario, filter) && isTagged(scenario, filter),
    )
    .flatMap((scenario) => {
      const reason = unplayable(scenario, filter.clock);
      if (reason !== undefined && (filter.names ?? []).length === 0) return [];
      return (scenario.ipVersions ?? [4, 6])
        .filter((ipVersion) => filter.ipVersions?.includes(ipVersion) ?? true)
        .map((ipVersion) => ({
          scenario,
          ipVersion,
          ...(reason === undefined ? {} : { unplayable: reason }),
        }));
    });
}

/** Why a lab with this clock does not play a scenario; undefined where it does. */
export function unplayable(
  { clock, longestTimer }: Pick<Scenario, 'clock' | 'longestTimer'>,
  labsClock: Filter['clock'] = 'real',
): string | undefined {
  if (clock !== 'virtual' || labsClock === 'virtual') return undefined;
  const length = longestTimer === undefined ? 'too long' : `${humanTime(longestTimer.ms)} of real time`;
  return `takes ${length}: play it with --lab virtual`;
}

/** Whether a name given by a person means this scenario. */
export function matchesName(scenario: Pick<Scenario, 'id'>, name: string): boolean {
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
