/** Runs with a proxy in the middle, as they are printed and stored. */
import type { ViaRun } from '../run/index.js';
import { glyphsOf, paint, span, type Terminal } from './terminal.js';
import { tally, type VerdictEntry } from './verdicts.js';

/** What the table says was seen, and nothing else. */
export const wentAsTold = ({ outcome, verdict }: Pick<ViaRun, 'outcome' | 'verdict'>): boolean =>
  outcome.kind === 'played' && verdict === 'pass';

export const viaEntries = ({ results }: Pick<ViaRun, 'results'>): readonly VerdictEntry[] =>
  results.map(({ id, sentence, source, judgement }) => ({
    id,
    sentence: `${sentence} (Toxiproxy: ${source})`,
    requirements: [],
    judgement,
  }));

/** `✓ toxiproxy/down  3 pass  0.1 s` */
export function viaProgressLine(run: ViaRun, terminal: Terminal): string {
  const glyphs = glyphsOf(terminal);
  const isGood = wentAsTold(run);
  const { outcome } = run;
  return paint(
    [
      span(`${isGood ? glyphs.pass : glyphs.fail} `, isGood ? 'green' : 'red'),
      span(run.scenario.id.padEnd(46)),
      span(` ${outcome.kind === 'played' ? tally(viaEntries(run)) : `${outcome.kind}: ${outcome.reason}`}`),
      span(`  ${(run.realMs / 1000).toFixed(1)} s`, 'dim'),
    ],
    terminal,
  );
}
