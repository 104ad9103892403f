import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ScenarioRun } from '../run/index.js';
import { type Trace, traceWith } from '../trace/index.js';
import { ReportError } from './files.js';
import { deviationLines, figureLines, progressLine } from './progress.js';
import { figuresOf, RunReport } from './run-report.js';

const runOf = (trace: Trace): ScenarioRun => ({
  scenario: { id: 'suite/one', title: 'ensures it', play: () => Promise.resolve(), checks: [] },
  ipVersion: 4,
  outcome: { kind: 'played' },
  trace,
  results: [],
  verdict: 'pass',
  realMs: 3,
});

const SYN_REPEATED = traceWith({}, '@0 client SYN, dropped by f1', '@1024 client SYN again, dropped by f1');
const NOTHING_REPEATED = traceWith({}, 'client SYN', 'server SYN,ACK', 'client ACK');

describe('the report of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function reported(trace: Trace): Promise<readonly string[]> {
    const report = new RunReport(folder);
    const run = runOf(trace);
    report.add(run);
    await report.finish([run], figuresOf([run], 10));
    return readdirSync(folder);
  }

  it('compares its length with the longest timer that it waited for, and no other', () => {
    const timed = (ms: number, trace?: Trace): ScenarioRun => {
      const { trace: _, ...run } = runOf(SYN_REPEATED);
      const scenario = { ...run.scenario, longestTimer: { name: 'a timer', ms } };
      return { ...run, scenario, ...(trace === undefined ? {} : { trace }) };
    };
    const runs = [timed(1000, SYN_REPEATED), timed(60_000, SYN_REPEATED), timed(7_200_000)];
    expect(figureLines(runs, figuresOf(runs, 66_000)).at(-1)).to.match(/60\.0 s \(.*\): 1\.10 times$/);
    expect(figureLines(runs, figuresOf(runs, 6000)).at(-1)).to.match(/60\.0 s \(.*\): 10 times as long$/);
  });

  it('has the timers that its traces show', async () => {
    expect(await reported(SYN_REPEATED)).to.include.members(['summary.json', 'timers.json', 'timers.txt']);
    expect(readFileSync(join(folder, 'timers.txt'), 'utf8')).to.match(/^SYN {2}linux@6\.1 {2}1\.024$/m);
    const timers: unknown = JSON.parse(readFileSync(join(folder, 'timers.json'), 'utf8'));
    expect(timers).to.have.nested.property('schedules[0].offsetsNs').that.deep.equals([1_024_000_000]);
  });

  it('tells what was known of its results, and whether it went as expected', async () => {
    const known = { reason: 'it gives up early', link: 'tcp_timer.c' };
    const judgement = { verdict: 'fail', finding: 'gave up', evidence: [] } as const;
    const failed = { check: 'patient', sentence: 'It waits.', requirements: [], clauses: [], judgement };
    const runs = [
      { ...runOf(NOTHING_REPEATED), verdict: 'fail', results: [{ ...failed, known }] },
      { ...runOf(NOTHING_REPEATED), verdict: 'fail', results: [failed] },
    ] as const;
    await new RunReport(folder).finish(runs, figuresOf(runs, 10));
    const { scenarios }: { scenarios: { asExpected: boolean; verdict: string; results: unknown[] }[] } =
      JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'));
    expect(scenarios.map(({ asExpected, verdict }) => `${verdict} ${asExpected}`)).to.deep.equal([
      'fail true',
      'fail false',
    ]);
    const told = { check: 'patient', verdict: 'fail', finding: 'gave up' };
    expect(scenarios.flatMap(({ results }) => results)).to.deep.equal([{ ...told, known }, told]);
    const lines = deviationLines(runs, { color: false, columns: 120 });
    expect(lines.filter((line) => line.includes('known: it gives up early (tcp_timer.c)'))).to.have.length(1);
    const count = { ended: 1, of: 2 };
    expect(runs.map((run) => progressLine(run, count, { color: false, columns: 120 })[0])).to.deep.equal([
      '△',
      '✗',
    ]);
  });

  it('has ended all writing when it says that some of it failed', async () => {
    mkdirSync(join(folder, 'suite-one-ipv4.trace.json'));
    const report = new RunReport(folder);
    const ids = ['suite/one', ...Array.from({ length: 20 }, (_, i) => `suite/other-${i}`)];
    for (const id of ids) report.add(runOf({ ...SYN_REPEATED, scenario: id }));
    const failure = await report.finish([], figuresOf([], 10)).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ReportError);
    const files = readdirSync(folder);
    expect(files.filter((file) => file.endsWith('.tmp'))).to.deep.equal([]);
    expect(files.filter((file) => file.endsWith('.verdicts.json'))).to.have.lengthOf(20);
  });

  it('has no table of timers where none was seen', async () => {
    expect(await reported(NOTHING_REPEATED))
      .to.include('summary.json')
      .and.not.include('timers.json');
  });
});
