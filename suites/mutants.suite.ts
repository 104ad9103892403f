/**
 * Held against the very traces that the other suites of this process have just recorded: every check can fail, and the
 * scenarios together show every state and every flag. It says nothing about a stack, so `lastack run` leaves it out.
 */
import { expect } from 'chai';
import {
  type Check,
  FLAG,
  flagsText,
  hasFlags,
  isRed,
  monitors,
  type ScenarioRun,
  segmentsOf,
  session,
  TCP_STATES,
  type Trace,
  type Verdict,
} from '../harness/index.js';
import { allScenarios } from './index.js';

/** What the lab's clock allows. */
const playable = session()
  .select(allScenarios)
  .filter(({ unplayable }) => unplayable === undefined);

/** Every check that one of them names, and the rules for every trace, by id. */
const ids = [
  ...new Set([...playable.flatMap(({ scenario }) => scenario.checks), ...monitors].map(({ id }) => id)),
];

/** The runs with a trace; waits until all are over. */
async function recorded(context: Mocha.Context): Promise<readonly (ScenarioRun & { trace: Trace })[]> {
  context.timeout(0);
  const runs = await session().runs();
  const traces = runs.flatMap((run) => (run.trace === undefined ? [] : [{ ...run, trace: run.trace }]));
  if (traces.length === 0) skip(context, session().options.unavailable ?? 'no scenario was played');
  return traces;
}

/** Mocha prints no reason of a skip: the title carries it. */
function skip(context: Mocha.Context, reason: string): never {
  if (context.test !== undefined) context.test.title += ` [skipped: ${reason}]`;
  return context.skip();
}

const checkOf = ({ scenario }: ScenarioRun, id: string): Check | undefined =>
  [...scenario.checks, ...monitors].find((check) => check.id === id);

/** What the check says of the trace altered against it, unless that is worse than what it said before, and red. */
function survives(check: Check, trace: Trace, before: Verdict): string | undefined {
  try {
    const judgement = check.judge(check.mutate(trace));
    const isWorse = isRed(judgement) && judgement.verdict !== before;
    return isWorse ? undefined : `${judgement.verdict}: ${judgement.finding}`;
  } catch (error) {
    return `the trace could not be altered: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const every = describe('every check can fail: on recorded traces altered against it', () => {
  for (const id of ids)
    it(`${id} turns red`, async function () {
      const judged = (await recorded(this)).flatMap((run) => {
        const [check, result] = [checkOf(run, id), run.results.find((each) => each.check === id)];
        return check === undefined || result === undefined ? [] : [{ run, check, result }];
      });
      const [one] = judged;
      if (one === undefined) return skip(this, 'no scenario that was played has it');
      const said = (pattern: RegExp) => judged.filter(({ result }) => pattern.test(result.judgement.verdict));
      const passed = said(/^(pass|non-strict)$/);
      // A check that reports a profile never passes; where it informs it has judged something all the same.
      const altered = passed.length > 0 ? passed : said(/^info$/);
      if (altered.length === 0)
        skip(this, `it passed nowhere; ${one.result.judgement.verdict}: ${one.result.judgement.finding}`);
      const survivors = altered.flatMap(({ run, check, result }) => {
        const left = survives(check, run.trace, result.judgement.verdict);
        return left === undefined ? [] : [`${run.scenario.id} ipv${run.ipVersion}: ${left}`];
      });
      expect(survivors).to.deep.equal([]);
    });
});

const shown = describe('the scenarios together', () => {
  /** All that are known were played: a grep or a filter shows less, and that is no fault. */
  async function all(context: Mocha.Context): Promise<readonly Trace[]> {
    const runs = await recorded(context);
    const missing = playable.filter(({ scenario, ipVersion }) =>
      runs.every((run) => run.scenario !== scenario || run.ipVersion !== ipVersion),
    );
    if (missing.length > 0) skip(context, `${missing.length} of them were not played`);
    return runs.map(({ trace }) => trace);
  }

  it('show all eleven states', async function () {
    const states = new Set(
      (await all(this)).flatMap(({ events }) =>
        events.flatMap((event) => (event.kind === 'transition' ? [event.from, event.to] : [])),
      ),
    );
    expect([...states]).to.have.members([...TCP_STATES]);
  });

  it('show all six flags, and each of them delivered', async function () {
    const segments = (await all(this)).flatMap((trace) => segmentsOf(trace, { fate: 'delivered' }));
    const { SYN, ACK, FIN, RST, PSH, URG } = FLAG;
    const unseen = [SYN, ACK, FIN, RST, PSH, URG].filter(
      (flag) => !segments.some(({ segment }) => hasFlags(segment, flag)),
    );
    expect(unseen.map(flagsText)).to.deep.equal([]);
  });
});

for (const suite of [every, shown]) session().last(suite);
