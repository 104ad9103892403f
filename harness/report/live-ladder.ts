/** A ladder that grows while the run goes on: each row is given once, when what it shows has settled. Pure. */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { Trace, TraceEndpoint } from '../trace/index.js';
import { contextOf, fitsCell, headLines, type Layout, layoutOf, legendLines, rowLines } from './ladder.js';
import { type Happening, happeningsOf } from './ladder-happenings.js';
import { rowsOf } from './ladder-rows.js';
import { type Glyphs, glyphsOf, paint, type Span, type Terminal } from './terminal.js';

/** There is room for the times of so long a run. */
const LONGEST_NS = 10_000_000 * NANOS_PER_MS - 1;

export class LiveLadder {
  readonly #terminal: Terminal;
  readonly #glyphs: Glyphs;
  readonly #layout: Layout;
  /** The last row shown, and one state of each certainty, for the legend. */
  #lastNs: Nanos | undefined;
  readonly #unsure = new Map<string, Happening>();
  #shownNs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#glyphs = glyphsOf(terminal);
    this.#layout = layoutOf(terminal.columns, LONGEST_NS);
  }

  /** Up to when all has been shown. */
  get shownNs(): Nanos {
    return this.#shownNs;
  }

  head(endpoints: readonly TraceEndpoint[]): readonly string[] {
    return this.#paint(headLines({ endpoints }, this.#layout, this.#glyphs));
  }

  /** What happened since the last call and before `untilNs`. The trace must have all that did, and a segment of each flow. */
  rows(trace: Trace, untilNs: Nanos, options: { readonly isLive: boolean }): readonly string[] {
    const news = happeningsOf(trace, options).filter(({ atNs }) => atNs > this.#shownNs && atNs <= untilNs);
    this.#shownNs = Math.max(this.#shownNs, untilNs);
    const lastNs = this.#lastNs;
    this.#lastNs = news.at(-1)?.atNs ?? lastNs;
    for (const each of news) if (each.kind === 'state') this.#unsure.set(each.certainty, each);
    const context = contextOf(trace, this.#layout, this.#glyphs);
    const rows = rowsOf(news, fitsCell(this.#layout), lastNs);
    return this.#paint(rows.flatMap((row) => rowLines(row, this.#layout, context)));
  }

  /** For the end. */
  legend(): readonly string[] {
    return this.#paint(legendLines([...this.#unsure.values()]));
  }

  #paint(lines: readonly (readonly Span[])[]): readonly string[] {
    return lines.map((spans) => paint(spans, this.#terminal));
  }
}
