import { expect } from 'chai';
import {
  installedKernels,
  isUpToDate,
  keyOf,
  ScenarioPool,
  type ScenarioRun,
  Scheduler,
  select,
  type VirtualStacks,
  virtualLabs,
  wentAsExpected,
} from '../harness/index.js';
import { allScenarios } from './index.js';
import { knownDeviations } from './known-deviations.js';

const versions = installedKernels()
  .filter(isUpToDate)
  .map(({ version }) => version);
const [oldest] = versions;
const newest = versions.at(-1);

async function playAll(stacks: VirtualStacks): Promise<readonly ScenarioRun[]> {
  await using pool = new ScenarioPool({ module: new URL('./index.js', import.meta.url), stacks });
  const scheduler = new Scheduler({ openLab: virtualLabs(stacks), run: pool.run, jobs: 2 });
  scheduler.start(
    select(allScenarios, { clock: 'virtual' }).map((each) => ({ ...each, known: knownDeviations })),
  );
  return scheduler.all();
}

/** What is not as a conforming endpoint, or a known one, would have it. */
const surprises = (runs: readonly ScenarioRun[]): readonly string[] =>
  runs
    .filter((run) => !wentAsExpected(run))
    .map(({ outcome, results, ...run }) =>
      [
        keyOf(run),
        outcome.kind === 'played' ? '' : `${outcome.kind}: ${outcome.reason}`,
        ...results.map(({ check, judgement, known, unexpected }) =>
          known === undefined && (unexpected ?? /fail|inconclusive|error/.test(judgement.verdict))
            ? `${check}: ${unexpected ?? judgement.verdict}: ${judgement.finding}`
            : '',
        ),
      ]
        .filter((text) => text !== '')
        .join('\n  '),
    );

describe('every scenario goes as expected in virtual time', function () {
  this.timeout(120_000);

  before(function () {
    if (newest !== undefined) return;
    process.stderr.write('skipped: no kernel was built for the virtual lab ("lastack kernel build 6.12")\n');
    this.skip();
  });

  for (const version of versions.length === 0 ? ['6.12'] : versions)
    it(`on linux@${version}`, async () => {
      const runs = await playAll({ client: version, server: version });
      expect(runs.length).to.be.greaterThan(100);
      expect(surprises(runs).join('\n')).to.equal('');
    });

  if (oldest !== undefined && newest !== undefined && oldest !== newest)
    it(`with linux@${oldest} as the client and linux@${newest} as the server`, async () => {
      const runs = await playAll({ client: oldest, server: newest });
      expect(runs.length).to.be.greaterThan(100);
      expect(surprises(runs).join('\n')).to.equal('');
    });
});
