import { expect } from 'chai';
import { type NetnsStacks, netnsCapability, netnsLabs, Scheduler, select } from '../harness/index.js';
import { allScenarios } from './index.js';
import { knownDeviations } from './known-deviations.js';
import { surprises } from './surprises.fixture.js';

const PAIRS: readonly NetnsStacks[] = [
  { client: 'stack', server: 'stack' },
  { client: 'stack', server: 'linux' },
  { client: 'linux', server: 'stack' },
];

/** Labs of one pair at once: three pairs are played side by side, for what takes time is waiting. */
const JOBS = 16;

async function playAll(stacks: NetnsStacks): Promise<readonly string[]> {
  const scheduler = new Scheduler({ openLab: netnsLabs(stacks), jobs: JOBS });
  scheduler.start(select(allScenarios, {}).map((each) => ({ ...each, known: knownDeviations })));
  const runs = await scheduler.all();
  expect(runs.length).to.be.greaterThan(100);
  return surprises(runs);
}

describe('every scenario goes as expected in real time', function () {
  this.timeout(240_000);
  const played = new Map<NetnsStacks, Promise<readonly string[]>>();

  before(function () {
    const { way, sentence } = netnsCapability();
    if (way !== 'direct') {
      process.stderr.write(`skipped: labs cannot be made in this process: ${sentence}\n`);
      return this.skip();
    }
    for (const stacks of PAIRS) {
      const playing = playAll(stacks);
      playing.catch(() => {});
      played.set(stacks, playing);
    }
  });

  for (const stacks of PAIRS)
    it(`with ${stacks.client} as the client and ${stacks.server} as the server`, async () => {
      expect((await played.get(stacks))?.join('\n')).to.equal('');
    });
});
