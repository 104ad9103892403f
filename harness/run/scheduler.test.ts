import { expect } from 'chai';
import { traceWith } from '../trace/index.js';
import type { ScenarioRun } from './run-scenario.js';
import type { IpVersion, Scenario } from './scenario.js';
import { Scheduler, type SchedulerOptions, STARTING_AT_ONCE } from './scheduler.js';

const scenario = (id: string, timerMs?: number): Scenario => ({
  id: `suite/${id}`,
  title: `ensures ${id}`,
  ...(timerMs === undefined ? {} : { longestTimer: { name: 'a timer', ms: timerMs } }),
  play: () => Promise.reject(new Error('no lab here')),
  checks: [],
});

const selected = (...all: readonly Scenario[]) =>
  all.map((each) => ({ scenario: each, ipVersion: 4 as IpVersion }));

/** Runs that begin, settle and end when the test says so. */
class Stage {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();
  readonly #settles = new Map<string, () => void>();

  readonly run: NonNullable<SchedulerOptions['run']> = (each, { ipVersion, settled }) => {
    const name = each.id.slice('suite/'.length);
    this.begun.push(name);
    this.#settles.set(name, () => settled?.());
    return new Promise<ScenarioRun>((resolve, reject) => {
      const run = {
        scenario: each,
        ipVersion,
        outcome: { kind: 'played' },
        results: [],
        verdict: 'pass',
        realMs: 1,
      };
      this.#ends.set(name, (error) => (error === undefined ? resolve(run as ScenarioRun) : reject(error)));
    });
  };

  settle(name: string): Promise<void> {
    this.#settles.get(name)?.();
    return allQueued();
  }

  end(name: string, error?: Error): Promise<void> {
    this.#ends.get(name)?.(error);
    return allQueued();
  }
}

/** Until all that promises have set off has happened. */
const allQueued = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scheduler(options: Partial<SchedulerOptions> = {}) {
  const stage = new Stage();
  const openLab = () => Promise.reject(new Error('no lab here'));
  return { stage, it: new Scheduler({ openLab, run: stage.run, ...options }) };
}

const letters = (count: number): readonly Scenario[] =>
  Array.from({ length: count }, (_, i) => scenario(String.fromCharCode(97 + i)));

describe('the scheduler', () => {
  it('runs as many at once as it was told, and the next when one ends', async () => {
    const { stage, it } = scheduler({ jobs: 2 });
    it.start(selected(...letters(4)));
    await allQueued();
    expect(stage.begun).to.deep.equal(['a', 'b']);
    await stage.settle('a');
    expect(stage.begun).to.deep.equal(['a', 'b']);
    await stage.end('b');
    expect(stage.begun).to.deep.equal(['a', 'b', 'c']);
    await stage.end('a');
    expect(stage.begun).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('lets few start at once, and the next when one has settled or ended', async () => {
    const { stage, it } = scheduler();
    it.start(selected(...letters(STARTING_AT_ONCE + 3)));
    await allQueued();
    expect(stage.begun).to.have.length(STARTING_AT_ONCE);
    await stage.settle('a');
    await stage.settle('a');
    expect(stage.begun).to.have.length(STARTING_AT_ONCE + 1);
    await stage.end('a');
    expect(stage.begun).to.have.length(STARTING_AT_ONCE + 1);
    await stage.end('b');
    expect(stage.begun).to.have.length(STARTING_AT_ONCE + 2);
  });

  it('begins with the longest timer, and keeps the order of the others', async () => {
    const { stage, it } = scheduler();
    it.start(
      selected(scenario('first'), scenario('second'), scenario('long', 60_000), scenario('middling', 7000)),
    );
    await allQueued();
    expect(stage.begun).to.deep.equal(['long', 'middling', 'first', 'second']);
  });

  it('runs each scenario once, however often it is asked for, and each IP version by itself', async () => {
    const { stage, it } = scheduler();
    const one = scenario('one');
    it.start(selected(one));
    const first = it.result({ scenario: one, ipVersion: 4 });
    expect(it.result({ scenario: one, ipVersion: 4 })).to.equal(first);
    await allQueued();
    await stage.end('one');
    expect((await first).verdict).to.equal('pass');
    it.result({ scenario: one, ipVersion: 6 });
    await allQueued();
    expect(stage.begun).to.deep.equal(['one', 'one']);
  });

  it('goes on with the others when one run breaks, and makes an error of that', async () => {
    const finished: string[] = [];
    const { stage, it } = scheduler({ jobs: 1, finished: (run) => finished.push(run.scenario.id) });
    it.start(selected(scenario('bad'), scenario('good')));
    await allQueued();
    await stage.end('bad', new Error('out of order'));
    await stage.end('good');
    const runs = await it.all();
    expect(runs.map(({ verdict, outcome }) => ({ verdict, outcome }))).to.deep.equal([
      { verdict: 'error', outcome: { kind: 'error', reason: 'out of order' } },
      { verdict: 'pass', outcome: { kind: 'played' } },
    ]);
    expect(finished).to.deep.equal(['suite/bad', 'suite/good']);
  });

  it('makes an error of a lab that cannot be opened', async () => {
    const it = new Scheduler({ openLab: () => Promise.reject(new Error('no lab here')) });
    const run = await it.result({ scenario: scenario('any'), ipVersion: 6 });
    expect(run).to.deep.include({ verdict: 'error', outcome: { kind: 'error', reason: 'no lab here' } });
    expect(run.trace).to.equal(undefined);
  });

  it('opens no lab for what cannot be played there, and gives the reason', async () => {
    const finished: string[] = [];
    const { stage, it } = scheduler({ finished: (run) => finished.push(run.scenario.id) });
    const unplayable = 'takes 2 h of real time: play it with --lab virtual';
    it.start([{ scenario: scenario('long'), ipVersion: 4, unplayable }]);
    const [run] = await it.all();
    expect(run).to.deep.include({
      verdict: 'unsupported',
      outcome: { kind: 'unsupported', reason: unplayable },
    });
    expect(run?.trace).to.equal(undefined);
    expect(stage.begun).to.deep.equal([]);
    expect(finished).to.deep.equal(['suite/long']);
  });

  it('holds a run against what is known of its stacks', async () => {
    const judgement = { verdict: 'fail', finding: 'gave up', evidence: [] } as const;
    const failed = { check: 'patient', sentence: 'It waits.', requirements: [], clauses: [], judgement };
    const run = (each: Scenario): Promise<ScenarioRun> =>
      Promise.resolve({
        scenario: each,
        ipVersion: 4,
        outcome: { kind: 'played' },
        trace: traceWith({ stack: 'linux@6.1' }, 'client SYN'),
        results: [failed],
        verdict: 'fail',
        realMs: 1,
      });
    const known = { stack: 'linux', check: 'patient', verdict: 'fail', reason: 'so', link: 'there' } as const;
    const { it } = scheduler({ run });
    const held = await it.result({ scenario: scenario('one'), ipVersion: 4, known: [known] });
    expect(held.results).to.deep.equal([{ ...failed, known: { reason: 'so', link: 'there' } }]);
    expect((await it.result({ scenario: scenario('two'), ipVersion: 4 })).results).to.deep.equal([failed]);
  });

  it('tells of each run as it ends', async () => {
    const finished: string[] = [];
    const { stage, it } = scheduler({ finished: (run) => finished.push(run.scenario.id) });
    it.start(selected(...letters(3)));
    await allQueued();
    for (const name of ['b', 'c', 'a']) await stage.end(name);
    expect(finished).to.deep.equal(['suite/b', 'suite/c', 'suite/a']);
  });
});
