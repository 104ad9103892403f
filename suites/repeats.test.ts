import { expect } from 'chai';
import {
  KernelUnavailable,
  keyOf,
  ScenarioPool,
  type ScenarioRun,
  Scheduler,
  select,
  type Trace,
  type WhereOptions,
  whereOf,
} from '../harness/index.js';
import { allScenarios } from './index.js';
import { canonicalLines } from './stability/canonical.js';

const SELECTED = select(allScenarios, { clock: 'virtual' });

type Ends = Pick<WhereOptions, 'endpoint' | 'client'>;

/** Plays everything, on so many threads and so many labs at once. */
async function play(
  ends: Ends,
  { threads, jobs }: { readonly threads: number; readonly jobs: number },
): Promise<ReadonlyMap<string, ScenarioRun>> {
  const where = whereOf({ lab: 'virtual', ...ends });
  if (where.lab !== 'virtual') throw new Error('the virtual lab was asked for');
  await using pool = new ScenarioPool({
    module: new URL('./index.js', import.meta.url),
    stacks: where.stacks,
    threads,
  });
  const scheduler = new Scheduler({ openLab: where.openLab, run: pool.run, jobs });
  scheduler.start(SELECTED);
  const runs = await scheduler.all();
  return new Map(runs.map((run) => [keyOf(run), run]));
}

function firstDifference(a: Trace, b: Trace): string | undefined {
  const [one, other] = [canonicalLines(a), canonicalLines(b)];
  const at = one.findIndex((line, i) => line !== other[i]);
  if (at >= 0) return `event ${at}:\n  ${one[at]}\n  ${other[at]}`;
  return one.length === other.length ? undefined : `${one.length} events, then ${other.length}`;
}

async function expectRepeats(ends: Ends): Promise<void> {
  const first = await play(ends, { threads: 2, jobs: 2 });
  const second = await play(ends, { threads: 1, jobs: 6 });
  const differences = [...first].flatMap(([key, run]) => {
    const again = second.get(key);
    if (run.trace === undefined || again?.trace === undefined) return [`${key}: no trace`];
    const difference = firstDifference(run.trace, again.trace);
    return difference === undefined ? [] : [`${key}: ${difference}`];
  });
  expect(differences).to.deep.equal([]);
  expect(first.size).to.equal(SELECTED.length);
}

describe('in virtual time two runs of everything give the same traces to the nanosecond, alone in a timeline or side by side', function () {
  this.timeout(120_000);

  it('of our own TCP', () => expectRepeats({ endpoint: 'stack' }));

  describe('of kernels', () => {
    before(function () {
      try {
        whereOf({ lab: 'virtual', endpoint: 'linux' });
      } catch (error) {
        if (!(error instanceof KernelUnavailable)) throw error;
        process.stderr.write(`skipped: ${error.message}\n`);
        this.skip();
      }
    });

    it('alone', () => expectRepeats({ endpoint: 'linux' }));

    it('and of our own TCP with one', () => expectRepeats({ endpoint: 'linux', client: 'stack' }));
  });
});
