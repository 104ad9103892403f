import { expect } from 'chai';
import {
  installedKernels,
  isUpToDate,
  ScenarioPool,
  type ScenarioRun,
  Scheduler,
  select,
  type VirtualStacks,
  virtualLabs,
} from '../harness/index.js';
import { allScenarios } from './index.js';
import { knownDeviations } from './known-deviations.js';
import { surprises } from './surprises.fixture.js';

const versions = installedKernels()
  .filter(isUpToDate)
  .map(({ version }) => version);
const [oldest] = versions;
const newest = versions.at(-1);
const preferred = versions.find((version) => version === '6.12');

async function playAll(stacks: VirtualStacks): Promise<readonly ScenarioRun[]> {
  await using pool = new ScenarioPool({ module: new URL('./index.js', import.meta.url), stacks });
  const scheduler = new Scheduler({ openLab: virtualLabs(stacks), run: pool.run, jobs: 2 });
  scheduler.start(
    select(allScenarios, { clock: 'virtual' }).map((each) => ({ ...each, known: knownDeviations })),
  );
  return scheduler.all();
}

describe('every scenario goes as expected in virtual time', function () {
  this.timeout(120_000);

  async function goesAsExpected(stacks: VirtualStacks): Promise<void> {
    const runs = await playAll(stacks);
    expect(runs.length).to.be.greaterThan(100);
    expect(surprises(runs).join('\n')).to.equal('');
  }

  it('on our own TCP, with no kernel at all', () => goesAsExpected({ client: 'stack', server: 'stack' }));

  describe('on kernels', () => {
    before(function () {
      if (newest !== undefined) return;
      process.stderr.write(
        'skipped: no kernel was built for the virtual lab ("lastack kernel build 6.12")\n',
      );
      this.skip();
    });

    for (const version of versions.length === 0 ? ['6.12'] : versions)
      it(`on linux@${version}`, () => goesAsExpected({ client: version, server: version }));

    if (oldest !== undefined && newest !== undefined && oldest !== newest)
      it(`with linux@${oldest} as the client and linux@${newest} as the server`, () =>
        goesAsExpected({ client: oldest, server: newest }));

    for (const version of new Set([oldest, preferred, newest].filter((each) => each !== undefined))) {
      it(`with our own TCP as the client and linux@${version} as the server`, () =>
        goesAsExpected({ client: 'stack', server: version }));

      it(`with linux@${version} as the client and our own TCP as the server`, () =>
        goesAsExpected({ client: version, server: 'stack' }));
    }
  });
});
