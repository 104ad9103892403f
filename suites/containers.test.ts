/** The same scenarios between two containers: as expected, and with the states that they have in a lab of network namespaces. */
import { expect } from 'chai';
import {
  closeSharedEngine,
  dockerLabs,
  EngineError,
  netnsCapability,
  openNetnsLab,
  type RunOptions,
  type ScenarioRun,
  Scheduler,
  type Selected,
  select,
  sharedEngine,
} from '../harness/index.js';
import { allScenarios } from './index.js';
import { knownDeviations } from './known-deviations.js';
import { otherStates } from './same-states.fixture.js';
import { surprises } from './surprises.fixture.js';

/** Labs at once: starting containers keeps the cores busy. */
const JOBS = 12;
/** How many connections it takes until the situation comes about, and so what they pass through, is a matter of luck. */
const BY_LUCK = new Set([
  'close/three-segments',
  'handshake/data-on-third-segment',
  'handshake/data-before-late-ack',
]);

const chosen = (): readonly Selected[] =>
  select(allScenarios, {}).map((each) => ({ ...each, known: knownDeviations }));

async function playAll(openLab: RunOptions['openLab']): Promise<readonly ScenarioRun[]> {
  const scheduler = new Scheduler({ openLab, jobs: JOBS });
  scheduler.start(chosen());
  return scheduler.all();
}

describe('every scenario between two containers', function () {
  this.timeout(900_000);
  let inContainers: readonly ScenarioRun[] = [];

  before(async function () {
    try {
      await sharedEngine();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
      this.skip();
    }
    inContainers = await playAll(dockerLabs());
  });
  after(closeSharedEngine);

  it('goes as expected', () => {
    expect(inContainers.length).to.be.greaterThan(100);
    expect(surprises(inContainers).join('\n')).to.equal('');
  });

  it('passes through the states that it passes through in network namespaces', async function () {
    const { way, sentence } = netnsCapability();
    const seesAll = inContainers.every(({ trace }) => trace?.eyes.includes('tracepoint'));
    if (way !== 'direct' || !seesAll) {
      process.stderr.write(`skipped: states are compared where tracepoints see each of them: ${sentence}\n`);
      this.skip();
    }
    const inNamespaces = await playAll(openNetnsLab);
    const differences = inContainers
      .filter(({ scenario }) => !BY_LUCK.has(scenario.id))
      .flatMap(({ scenario: { id }, ipVersion, trace }) => {
        const other = inNamespaces.find((each) => each.scenario.id === id && each.ipVersion === ipVersion);
        return otherStates({ name: `${id} ipv${ipVersion}`, trace }, other?.trace);
      });
    expect(differences.join('\n')).to.equal('');
  });
});
