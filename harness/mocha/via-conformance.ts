/** Declares scenarios with Toxiproxy in the middle as mocha tests: a `describe` for each, an `it` for each of its checks. */
import { AssertionError } from 'chai';
import { isRed, type LegsCheck } from '../check/index.js';
import { netnsCapability } from '../lab/index.js';
import {
  runViaScenario,
  Turns,
  type ViaPlace,
  type ViaRun,
  type ViaScenario,
  viaPlace,
} from '../run/index.js';
import { messageOf } from '../text/index.js';
import { said } from './where.js';

/** Each has three namespaces and a server, or four containers; they mostly wait for Toxiproxy's timers. */
const AT_ONCE = 4;

let turns: Turns | undefined;
let place: Promise<ViaPlace | string> | undefined;

/** Where it is played, or why it cannot be; asked once, for Toxiproxy may have to be built. */
async function findPlace(found: ViaPlace): Promise<ViaPlace | string> {
  const { way, sentence } = netnsCapability();
  // Where a user namespace is needed, mocha's `require` has entered it before.
  if (found.lab === 'netns' && way !== 'direct') return sentence;
  return found.ready().then(() => found, messageOf);
}

export function viaConformance(suiteName: string, scenarios: readonly ViaScenario[]): void {
  const wanted = viaPlace(said);
  // Toxiproxy runs in real time: in virtual time there are no such scenarios, as there are none of hours in real time.
  if (wanted === undefined) return;
  describe(suiteName, () => {
    const runs = new Map<string, Promise<ViaRun>>();
    before(async function () {
      this.timeout(0);
      place ??= findPlace(wanted);
      const found = await place;
      if (typeof found === 'string') {
        process.stderr.write(`skipped: ${suiteName}: ${found}\n`);
        return this.skip();
      }
      turns ??= new Turns(AT_ONCE);
      for (const scenario of scenarios) runs.set(scenario.id, inTurn(scenario, found, turns));
    });
    for (const scenario of scenarios) declare(scenario, () => runs.get(scenario.id));
  });
}

async function inTurn(scenario: ViaScenario, { openLab }: ViaPlace, all: Turns): Promise<ViaRun> {
  const ends = await all.take();
  try {
    return await runViaScenario(scenario, { ipVersion: 4, openLab });
  } finally {
    ends();
  }
}

function declare(scenario: ViaScenario, runOf: () => Promise<ViaRun> | undefined): void {
  const run = async (context: Mocha.Context): Promise<ViaRun> => {
    context.timeout(0);
    return (await runOf()) ?? context.skip();
  };
  describe(`${scenario.id}: ${scenario.title}`, () => {
    it('is played to its end', async function () {
      const { outcome } = await run(this);
      if (outcome.kind !== 'played') throw new AssertionError(`${outcome.kind}: ${outcome.reason}`);
    });
    for (const check of scenario.checks) {
      it(`${check.sentence} (Toxiproxy: ${check.source})`, async function () {
        judgeOne(await run(this), check);
      });
    }
    it('obeys the rules that hold on every trace, on both legs', async function () {
      const { broken } = await run(this);
      if (broken.length > 0) throw new AssertionError(broken.join('\n'));
    });
    it('has checks that can fail, each', async function () {
      const { legs, results } = await run(this);
      if (legs === undefined) throw new AssertionError('there are no traces');
      for (const check of scenario.checks) {
        const passed = results.find(({ id }) => id === check.id)?.judgement.verdict === 'pass';
        if (passed && !isRed(check.judge(check.mutate(legs))))
          throw new AssertionError(`${check.id} passes its mutant`);
      }
    });
  });
}

function judgeOne({ outcome, results }: ViaRun, { id, sentence }: LegsCheck): void {
  const found = results.find((result) => result.id === id);
  if (found === undefined)
    throw new AssertionError(
      outcome.kind === 'played' ? 'it was not judged' : `${outcome.kind}: ${outcome.reason}`,
    );
  const { verdict, finding } = found.judgement;
  if (verdict !== 'pass') throw new AssertionError(`${verdict}: ${finding}\n  ${sentence}`);
}
