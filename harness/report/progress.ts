/** A run as it goes: a line for each scenario that ends, and the figures when all have. */
import { isConforming, type ScenarioResult, type ScenarioRun, wentAsExpected } from '../run/index.js';
import { humanTime } from '../text/index.js';
import type { RunFigures } from './run-report.js';
import { verdictEntries } from './run-report.js';
import { glyphsOf, paint, type Style, span, type Terminal } from './terminal.js';
import { tally, verdictLines } from './verdicts.js';

/** `✓ close/lost-final-ack ipv4  7 pass, 1 info  1.4 s  [12 of 88]` */
export function progressLine(
  run: ScenarioRun,
  count: { ended: number; of: number },
  terminal: Terminal,
): string {
  const glyphs = glyphsOf(terminal);
  const fine = wentAsExpected(run);
  const weak = run.verdict !== 'pass' && run.verdict !== 'info';
  const style: Style = fine ? (weak ? 'yellow' : 'green') : 'red';
  const said =
    run.outcome.kind === 'played'
      ? tally(verdictEntries(run))
      : `${run.outcome.kind}: ${firstLine(run.outcome.reason)}`;
  return paint(
    [
      span(`${fine ? (weak ? glyphs.weak : glyphs.pass) : glyphs.fail} `, style),
      span(`${run.scenario.id} ipv${run.ipVersion}`.padEnd(46)),
      span(` ${said}`, fine ? undefined : style),
      span(`  ${(run.realMs / 1000).toFixed(1)} s  [${count.ended} of ${count.of}]`, 'dim'),
    ],
    terminal,
  );
}

/** What is not as a conforming endpoint has it, known or not, with clause and finding; and what was to be like that and is not. */
export function deviationLines(runs: readonly ScenarioRun[], terminal: Terminal): readonly string[] {
  return runs
    .filter((run) => !isConforming(run.verdict) || !wentAsExpected(run))
    .flatMap((run) => [
      '',
      `${run.scenario.id} ipv${run.ipVersion}: ${run.scenario.title}`,
      ...(run.outcome.kind === 'played' ? [] : indented(`${run.outcome.kind}: ${run.outcome.reason}`)),
      ...verdictLines(verdictEntries({ results: run.results.filter(isNotable) }), terminal),
    ]);
}

/** What follows it is for whoever wants to know more, such as the log of a kernel. */
const firstLine = (reason: string): string => reason.split('\n', 1)[0] ?? '';

const indented = (text: string): readonly string[] => text.split('\n').map((line) => `  ${line}`);

const isNotable = ({ judgement, unexpected }: ScenarioResult): boolean =>
  !isConforming(judgement.verdict) || unexpected !== undefined;

/** The run's length beside the longest timer that it had to wait for. */
export function figureLines(
  runs: readonly ScenarioRun[],
  { wallMs, longestTimer }: RunFigures,
): readonly string[] {
  const checks = runs.flatMap(verdictEntries);
  const lines = [
    `${runs.length} ${runs.length === 1 ? 'scenario' : 'scenarios'}, ${checks.length} checks: ${tally(checks)}`,
  ];
  if (longestTimer === undefined) return [...lines, `the run took ${humanTime(wallMs)}`];
  const { ms, name, scenario } = longestTimer;
  const took = `the run took ${humanTime(wallMs)}, its longest single timer ${humanTime(ms)} (${name}, ${scenario})`;
  // In virtual time timers are longer than the run.
  const ratio =
    wallMs < ms / 2 ? `${(ms / wallMs).toFixed(0)} times as long` : `${(wallMs / ms).toFixed(2)} times`;
  return [...lines, `${took}: ${ratio}`];
}
