import { expect } from 'chai';
import {
  installedKernels,
  KernelUnavailable,
  keyOf,
  ScenarioPool,
  type ScenarioRun,
  Scheduler,
  select,
  type Trace,
  whereOf,
} from '../harness/index.js';
import { allScenarios } from './index.js';
import { canonicalLines } from './stability/canonical.js';

const SELECTED = select(allScenarios, { clock: 'virtual' });

/** Plays everything, on so many threads and so many labs at once. */
async function play(threads: number, jobs: number): Promise<ReadonlyMap<string, ScenarioRun>> {
  const where = whereOf({ lab: 'virtual', endpoint: 'linux' });
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

describe('in virtual time', function () {
  this.timeout(120_000);

  before(function () {
    try {
      whereOf({ lab: 'virtual', endpoint: 'linux' });
    } catch (error) {
      if (!(error instanceof KernelUnavailable)) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
      this.skip();
    }
  });

  it('two runs of everything give the same traces to the nanosecond, alone in a timeline or side by side', async () => {
    expect(installedKernels()).not.to.deep.equal([]);
    const first = await play(2, 2);
    const second = await play(1, 6);
    const differences = [...first].flatMap(([key, run]) => {
      const again = second.get(key);
      if (run.trace === undefined || again?.trace === undefined) return [`${key}: no trace`];
      const difference = firstDifference(run.trace, again.trace);
      return difference === undefined ? [] : [`${key}: ${difference}`];
    });
    expect(differences).to.deep.equal([]);
    expect(first.size).to.equal(SELECTED.length);
  });
});
