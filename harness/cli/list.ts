/** `lastack list`: the scenarios with their sentences, and what they are tied to. */
import { allScenarios } from '../../suites/index.js';
import { toxiproxyScenarios } from '../../suites/toxiproxy/index.js';
import { type Filter, matchesName, type Scenario, select, suiteOf } from '../run/index.js';
import { UsageError } from './exit.js';

export function list(filter: Filter): readonly string[] {
  const via = viaLines(filter);
  if (via.length > 0 && (filter.names ?? []).length > 0) return via;
  const scenarios = [
    ...new Set(select(allScenarios, { ...filter, clock: 'virtual' }).map(({ scenario }) => scenario)),
  ];
  if (scenarios.length === 0)
    throw new UsageError('no scenario fits all that was asked for: "lastack list" without filters shows all');
  const suites = [...new Set(scenarios.map(suiteOf))];
  const lines = suites.flatMap((suite) => [
    suite,
    ...scenarios.filter((scenario) => suiteOf(scenario) === suite).flatMap(describeScenario),
    '',
  ]);
  return [...lines, ...via];
}

/** Those with Toxiproxy in the middle: tied to no requirement, so a filter for one leaves them out. */
function viaLines({ names = [], requirements, tags }: Filter): readonly string[] {
  if (requirements !== undefined || tags !== undefined) return [];
  const found = toxiproxyScenarios.filter(
    (scenario) => names.length === 0 || names.some((name) => matchesName(scenario, name)),
  );
  if (found.length === 0) return [];
  return [
    'toxiproxy',
    ...found.flatMap(({ id, title }) => [`  ${id}  [only by name, in real time]`, `    ${title}`]),
    '',
  ];
}

function describeScenario(scenario: Scenario): readonly string[] {
  const requirements = [...new Set(scenario.checks.flatMap((check) => check.requirements))];
  const marks = [...(scenario.clock === 'virtual' ? ['only --lab virtual'] : []), ...(scenario.tags ?? [])];
  const marked = marks.length === 0 ? '' : `  [${marks.join(', ')}]`;
  return [`  ${scenario.id}${marked}`, `    ${scenario.title}`, `    ${requirements.join(' ')}`];
}
