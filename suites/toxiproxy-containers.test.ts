/** The scenarios with Toxiproxy between containers: the verdicts, check by check, and the states that they have in network namespaces. */
import { expect } from 'chai';
import {
  closeSharedEngine,
  EngineError,
  LEG_NAMES,
  netnsCapability,
  runViaScenario,
  ToxiproxyError,
  Turns,
  type ViaPlace,
  type ViaRun,
  viaPlace,
} from '../harness/index.js';
import { otherStates } from './same-states.fixture.js';
import { toxiproxyScenarios } from './toxiproxy/index.js';

/** Labs at once: four containers each, which keep the cores busy while they start. */
const JOBS = { docker: 6, netns: 4 } as const;

async function playAll({ lab, openLab }: ViaPlace): Promise<readonly ViaRun[]> {
  const turns = new Turns(JOBS[lab]);
  const runs = await Promise.all(
    toxiproxyScenarios.map(async (scenario) => {
      const ends = await turns.take();
      try {
        return await runViaScenario(scenario, { ipVersion: 4, openLab });
      } finally {
        ends();
      }
    }),
  );
  const again: ViaRun[] = [];
  // Stories that count on times of their own have none when others start their containers: those are told once more, by themselves.
  for (const run of runs)
    again.push(
      run.outcome.kind === 'inconclusive'
        ? await runViaScenario(run.scenario, { ipVersion: 4, openLab })
        : run,
    );
  return again;
}

/** A line for each check, as it was judged. */
const verdictsOf = ({ scenario, outcome, results }: ViaRun): readonly string[] => [
  `${scenario.id}: ${outcome.kind === 'played' ? 'played' : `${outcome.kind}: ${outcome.reason}`}`,
  ...results.map(({ id, judgement }) =>
    judgement.verdict === 'pass' ? `${id}: pass` : `${id}: ${judgement.verdict}: ${judgement.finding}`,
  ),
];

async function needs(context: Mocha.Context, lab: string): Promise<ViaPlace> {
  const place = viaPlace({ lab });
  if (place === undefined) throw new Error(`there is no place ${lab}`);
  try {
    await place.ready();
  } catch (error) {
    if (error instanceof EngineError || error instanceof ToxiproxyError) skip(context, error.message);
    throw error;
  }
  return place;
}

function skip(context: Mocha.Context, reason: string): never {
  process.stderr.write(`skipped: ${reason}\n`);
  return context.skip();
}

describe('every scenario with Toxiproxy between containers', function () {
  this.timeout(900_000);
  let inContainers: readonly ViaRun[] = [];
  let inNamespaces: readonly ViaRun[] = [];

  before(async function () {
    const { way, sentence } = netnsCapability();
    if (way !== 'direct') skip(this, sentence);
    const [docker, netns] = [await needs(this, 'docker'), await needs(this, 'netns')];
    inNamespaces = await playAll(netns);
    inContainers = await playAll(docker);
  });
  after(closeSharedEngine);

  for (const [i, { id }] of toxiproxyScenarios.entries())
    it(`${id} has the verdicts that it has in network namespaces`, () => {
      const [here, there] = [inContainers[i], inNamespaces[i]];
      if (here === undefined || there === undefined) throw new Error('it was not played');
      expect(verdictsOf(here)).to.deep.equal(verdictsOf(there));
      expect(here.verdict).to.equal('pass');
      expect(here.broken).to.deep.equal([]);
    });

  it('passes through the same states, at all four ends', function () {
    const seesAll = [...inContainers, ...inNamespaces].every(({ legs }) =>
      LEG_NAMES.every((leg) => legs?.[leg].eyes.includes('tracepoint')),
    );
    if (!seesAll) skip(this, 'states are compared where tracepoints see each of them');
    const differences = inContainers.flatMap(({ scenario, legs }, i) =>
      LEG_NAMES.flatMap((leg) =>
        otherStates(
          { name: `${scenario.id}, ${leg} leg,`, trace: legs?.[leg] },
          inNamespaces[i]?.legs?.[leg],
          { mayEndEarlier: true },
        ),
      ),
    );
    expect(differences.join('\n')).to.equal('');
  });
});
