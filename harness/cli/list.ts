/** `lastack list`: the scenarios with their sentences, and what they are tied to. */
import { allScenarios } from '../../suites/index.js';
import { type Filter, type Scenario, select, suiteOf } from '../run/index.js';
import { UsageError } from './exit.js';

export function list(filter: Filter): readonly string[] {
  const scenarios = [
    ...new Set(select(allScenarios, { ...filter, clock: 'virtual' }).map(({ scenario }) => scenario)),
  ];
  if (scenarios.length === 0)
    throw new UsageError('no scenario fits all that was asked for: "lastack list" without filters shows all');
  const suites = [...new Set(scenarios.map(suiteOf))];
  return suites.flatMap((suite) => [
    suite,
    ...scenarios.filter((scenario) => suiteOf(scenario) === suite).flatMap(describeScenario),
    '',
  ]);
}

function describeScenario(scenario: Scenario): readonly string[] {
  const requirements = [...new Set(scenario.checks.flatMap((check) => check.requirements))];
  const marks = [...(scenario.clock === 'virtual' ? ['only --lab virtual'] : []), ...(scenario.tags ?? [])];
  const marked = marks.length === 0 ? '' : `  [${marks.join(', ')}]`;
  return [`  ${scenario.id}${marked}`, `    ${scenario.title}`, `    ${requirements.join(' ')}`];
}
