/** Compares the verdicts of several runs of the same suites: how a scenario went, and what each check said of it. */
import { monitors } from '../../harness/index.js';

const MONITORS: ReadonlySet<string> = new Set(monitors.map(({ id }) => id));

/** The part of `summary.json` that runs are compared by. */
export interface Summary {
  readonly figures: { readonly wallMs: number };
  readonly scenarios: readonly ScenarioSummary[];
}

interface ScenarioSummary {
  readonly scenario: string;
  readonly ipVersion: number;
  readonly outcome: { readonly kind: string; readonly reason?: string };
  readonly results: readonly { readonly check: string; readonly verdict: string; readonly finding: string }[];
}

/** One check of one scenario that did not always say the same. */
export interface Difference {
  /** `close/lost-final-ack ipv4`. */
  readonly scenario: string;
  readonly check: string;
  /** By verdict: the first finding, and the runs, counted from 1. */
  readonly seen: readonly {
    readonly verdict: string;
    readonly finding: string;
    readonly runs: readonly number[];
  }[];
}

/** The name under which the outcome of a scenario's stimulus is compared. */
const PLAY = 'how it was played';

export function readSummary(text: string): Summary {
  const data: unknown = JSON.parse(text);
  if (typeof data === 'object' && data !== null && 'format' in data && data.format === 'lastack-summary')
    return data as unknown as Summary; // written by this version of the program a moment ago
  throw new Error('this is no summary of a run: it has no "format": "lastack-summary"');
}

export function differences(summaries: readonly Summary[]): readonly Difference[] {
  const seen = new Map<string, Map<string, { finding: string; runs: number[] }>>();
  summaries.forEach((summary, index) => {
    for (const { key, verdict, finding } of summary.scenarios.flatMap(verdictsOf)) {
      const verdicts = seen.get(key) ?? new Map<string, { finding: string; runs: number[] }>();
      const known = verdicts.get(verdict) ?? { finding, runs: [] };
      known.runs.push(index + 1);
      verdicts.set(verdict, known);
      seen.set(key, verdicts);
    }
  });
  return [...seen].flatMap(([key, verdicts]) => {
    const runs = [...verdicts.values()].reduce((sum, each) => sum + each.runs.length, 0);
    if (verdicts.size === 1 && runs === summaries.length) return [];
    const [scenario = '', check = ''] = key.split('\n');
    return [{ scenario, check, seen: [...verdicts].map(([verdict, each]) => ({ verdict, ...each })) }];
  });
}

/**
 * A rule for every trace informs where there was nothing to judge, and a busy machine may make a stack repeat a segment in one
 * run and not in another: kept is kept. What a scenario is about must be judged alike in each.
 */
const comparable = (check: string, verdict: string): string =>
  MONITORS.has(check) && verdict === 'info' ? 'pass' : verdict;

function verdictsOf({ scenario, ipVersion, outcome, results }: ScenarioSummary) {
  const name = `${scenario} ipv${ipVersion}`;
  return [
    { key: `${name}\n${PLAY}`, verdict: outcome.kind, finding: outcome.reason ?? '' },
    ...results.map(({ check, verdict, finding }) => ({
      key: `${name}\n${check}`,
      verdict: comparable(check, verdict),
      finding,
    })),
  ];
}
