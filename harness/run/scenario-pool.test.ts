import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { openNetnsLab } from '../lab/index.js';
import { installedKernels, isUpToDate } from '../uml/index.js';
import { type ScenarioRun, wentAsExpected } from './run-scenario.js';
import { allScenarios } from './scenario-pool.fixture.js';
import { ScenarioPool } from './scenario-pool.js';

const kernel = installedKernels().findLast(isUpToDate);

/** The processes that this one has started and that have not been taken note of. */
function children(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid;
    } catch {
      return false;
    }
  });
}

describe('a pool of threads with guests', function () {
  this.timeout(30_000);
  let before: readonly string[];
  let pool: ScenarioPool;

  beforeEach(function () {
    if (kernel === undefined) {
      process.stderr.write(
        'skipped: no kernel was built for the virtual lab ("lastack kernel build 6.12")\n',
      );
      return this.skip();
    }
    before = children();
    pool = new ScenarioPool({
      module: new URL('./scenario-pool.fixture.js', import.meta.url),
      stacks: { client: kernel.release, server: kernel.release },
      threads: 2,
    });
  });
  afterEach(async () => {
    await pool?.[Symbol.asyncDispose]();
    expect(newChildren(), 'processes, zombies included').to.deep.equal([]);
  });

  const newChildren = (): readonly string[] => children().filter((pid) => !before.includes(pid));

  /** Their verdicts, or why they have none. The first and the third share a thread, as do the second and the fourth. */
  async function play(...names: readonly string[]): Promise<readonly (ScenarioRun | Error)[]> {
    const runs = names.map((name) => {
      const scenario = allScenarios.find(({ id }) => id === `pool/${name}`);
      if (scenario === undefined) throw new Error(`there is no ${name}`);
      return pool.run(scenario, { ipVersion: 4, openLab: openNetnsLab });
    });
    const settled = await Promise.allSettled(runs);
    return settled.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error)));
  }

  const reasonOf = (run: ScenarioRun | Error | undefined): string => {
    if (run === undefined || run instanceof Error) return String(run);
    if (run.outcome.kind !== 'played') return `${run.verdict}: ${run.outcome.reason}`;
    return wentAsExpected(run) ? 'fine' : run.verdict;
  };

  const fine = Array.from({ length: 4 }, () => 'fine');

  it('plays', async () => {
    expect((await play('steady', 'steady', 'steady', 'steady')).map(reasonOf)).to.deep.equal(fine);
    expect(newChildren().length, 'guests').to.equal(4);
  });

  it('fails exactly the scenarios that ran with a guest that died, and heals', async () => {
    const [killer, aside, with_, alsoAside] = (await play('kills-a-guest', 'steady', 'steady', 'steady')).map(
      reasonOf,
    );
    expect([aside, alsoAside]).to.deep.equal(['fine', 'fine']);
    expect(killer).to.match(
      /^error: the guest linux@\S+ (client|server) died: its process was ended by SIGKILL(\n|$)/,
    );
    expect(with_).to.equal(killer);
    expect((await play('steady', 'steady', 'steady', 'steady')).map(reasonOf)).to.deep.equal(fine);
  });

  for (const [name, why] of [
    ['ends-its-thread', 'Error: the thread that played it has ended'],
    ['breaks-its-thread', 'Error: a mistake that is nobody’s'],
  ] as const)
    it(`rejects what ran on a thread that ${name.split('-')[0]}, and goes on with another`, async () => {
      const [broken, aside, with_, alsoAside] = (await play(name, 'steady', 'steady', 'steady')).map(
        reasonOf,
      );
      expect([broken, with_]).to.deep.equal([why, why]);
      expect([aside, alsoAside]).to.deep.equal(['fine', 'fine']);
      expect((await play('steady', 'steady', 'steady', 'steady')).map(reasonOf)).to.deep.equal(fine);
    });

  it('may be closed while it plays: nothing waits for ever', async () => {
    const playing = play('steady', 'steady', 'steady', 'steady');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await pool[Symbol.asyncDispose]();
    for (const run of await playing) expect(reasonOf(run)).to.match(/^(fine$|error: |Error: )/);
  });
});
