/**
 * A trace as a ladder for the terminal: time, what the client did and its state, the segments between two bars, the
 * server's state and calls. Pure; `terminalOf` tells what the terminal can show.
 */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import { humanTime } from '../text/index.js';
import type { Trace, TraceEndpoint } from '../trace/index.js';
import { type ArrowContext, arrowSpans } from './ladder-arrow.js';
import { flowCount, type Happening, happeningsOf } from './ladder-happenings.js';
import { type Cell, type Row, rowsOf } from './ladder-rows.js';
import {
  clip,
  fold,
  type Glyphs,
  glyphsOf,
  padEnd,
  padStart,
  paint,
  type Span,
  span,
  type Terminal,
} from './terminal.js';

const UNSURE = { exact: '', bounded: '~', inferred: '?' } as const;
const LEGEND = {
  '~': 'seen at the next look, entered some time before',
  '?': 'not seen itself, follows from what was',
} as const;

export interface Layout {
  readonly timeWidth: number;
  readonly cellWidth: number;
  readonly wireWidth: number;
}

export function ladder(trace: Trace, terminal: Terminal): string {
  const happenings = happeningsOf(trace);
  const glyphs = glyphsOf(terminal);
  const layout = layoutOf(terminal.columns, happenings.at(-1)?.atNs ?? 0);
  const context = contextOf(trace, layout, glyphs);
  const lines = rowsOf(happenings, fitsCell(layout)).flatMap((row) => rowLines(row, layout, context));
  const legend = legendLines(happenings);
  return [
    ...titleLines(trace, glyphs),
    ...headLines(trace, layout, glyphs),
    ...lines,
    ...(legend.length === 0 ? [] : [[]]),
    ...legend,
  ]
    .map((spans) => `${paint(spans, terminal)}\n`)
    .join('');
}

export const contextOf = (trace: Trace, layout: Layout, glyphs: Glyphs): ArrowContext => ({
  trace,
  glyphs,
  width: layout.wireWidth,
  numbered: flowCount(trace.events) > 1,
  timeText,
});

export const fitsCell =
  ({ cellWidth }: Layout) =>
  (cell: Cell): boolean =>
    cellText(cell).length <= cellWidth;

/** What the marks behind states mean, of those that there are. */
export function legendLines(happenings: readonly Happening[]): readonly (readonly Span[])[] {
  const unsure = new Set(
    happenings.flatMap((each) =>
      each.kind === 'state' && each.certainty !== 'exact' ? [UNSURE[each.certainty]] : [],
    ),
  );
  return (['~', '?'] as const)
    .filter((mark) => unsure.has(mark))
    .map((mark) => [span(`${mark} ${LEGEND[mark]}`, 'dim')]);
}

/** Time, state, bar, wire, bar, state, with a space between all but bar and wire. */
export function layoutOf(columns: number, endNs: Nanos): Layout {
  const timeWidth = Math.max(9, timeText(endNs).length);
  const cellWidth = columns >= 110 ? 20 : columns >= 96 ? 18 : 13;
  return { timeWidth, cellWidth, wireWidth: Math.max(24, columns - timeWidth - 2 * cellWidth - 5) };
}

const timeText = (atNs: Nanos): string => (atNs / NANOS_PER_MS).toFixed(3);

function titleLines(trace: Trace, glyphs: Glyphs): readonly (readonly Span[])[] {
  const title = `${trace.scenario}${glyphs.dot}IPv${trace.ipVersion}${glyphs.dot}lab ${trace.lab}`;
  return [[span(title, 'bold')], []];
}

/** Which column is whose. */
export function headLines(
  trace: Pick<Trace, 'endpoints'>,
  layout: Layout,
  glyphs: Glyphs,
): readonly (readonly Span[])[] {
  const about = (side: TraceEndpoint['side']) => {
    const end = trace.endpoints.find((endpoint) => endpoint.side === side);
    return end === undefined
      ? ''
      : clip(`${end.stack} ${end.ip}`, Math.floor(layout.wireWidth / 2), glyphs.ellipsis);
  };
  const left = about('client');
  const right = about('server');
  const between = ' '.repeat(Math.max(1, layout.wireWidth + 2 - left.length - right.length));
  return [
    [
      ...padStart([span('ms', 'dim')], layout.timeWidth),
      span(' '),
      ...padStart([span('client', 'bold')], layout.cellWidth),
      span(' '),
      span(`${left}${between}${right}`, 'dim'),
      span(' '),
      span('server', 'bold'),
    ],
  ];
}

export function rowLines(row: Row, layout: Layout, context: ArrowContext): readonly (readonly Span[])[] {
  const { glyphs } = context;
  switch (row.kind) {
    case 'silence': {
      const text = `${glyphs.ellipsis} ${humanTime(row.ms)}`.replace(/^~/, '...');
      return [
        frame(
          { time: glyphs.gap, bar: glyphs.silent, wire: [span(centered(text, layout.wireWidth), 'dim')] },
          layout,
        ),
      ];
    }
    case 'remark':
      return fold(`* ${row.text}`, layout.wireWidth - 2).map((line, i) =>
        frame(
          { time: i === 0 ? timeText(row.atNs) : '', bar: glyphs.bar, wire: [span(` ${line}`, 'magenta')] },
          layout,
        ),
      );
    case 'step': {
      const { arrow } = row;
      const cells = {
        client: cellSpans(row.client, layout, glyphs),
        server: cellSpans(row.server, layout, glyphs),
      };
      const [wire, ...more] = arrow === undefined ? [[]] : arrowSpans(arrow, context);
      const leaves = arrow !== undefined && arrow.shape !== 'arrives' && arrow.shape !== 'injected';
      const ends = {
        left: leaves && arrow.event.from === 'client' ? glyphs.fromLeft : glyphs.bar,
        right: leaves && arrow.event.from === 'server' ? glyphs.fromRight : glyphs.bar,
      };
      const first = frame(
        { time: timeText(row.atNs), bar: glyphs.bar, ...ends, ...cells, wire: wire ?? [] },
        layout,
      );
      return [first, ...more.map((spans) => frame({ time: '', bar: glyphs.bar, wire: spans }, layout))];
    }
  }
}

interface Frame {
  readonly time: string;
  readonly bar: string;
  readonly left?: string;
  readonly right?: string;
  readonly client?: readonly Span[];
  readonly server?: readonly Span[];
  readonly wire: readonly Span[];
}

function frame(parts: Frame, { timeWidth, cellWidth, wireWidth }: Layout): readonly Span[] {
  return [
    ...padStart([span(parts.time, 'dim')], timeWidth),
    span(' '),
    ...padStart(parts.client ?? [], cellWidth),
    span(' '),
    span(parts.left ?? parts.bar, 'dim'),
    ...padEnd(parts.wire, wireWidth),
    span(parts.right ?? parts.bar, 'dim'),
    span(' '),
    ...(parts.server ?? []),
  ];
}

function centered(text: string, width: number): string {
  return `${' '.repeat(Math.max(0, Math.floor((width - text.length) / 2)))}${text}`;
}

function cellSpans({ call, state }: Cell, { cellWidth }: Layout, glyphs: Glyphs): readonly Span[] {
  const spans: Span[] = [];
  if (call !== undefined) {
    const text = call.text.length <= cellWidth ? call.text : call.short;
    spans.push(span(clip(text, cellWidth, glyphs.ellipsis)));
  }
  if (call !== undefined && state !== undefined) spans.push(span(' '));
  if (state !== undefined)
    spans.push(span(clip(`${state.text}${UNSURE[state.certainty]}`, cellWidth, glyphs.ellipsis), 'cyan'));
  return spans;
}

const cellText = ({ call, state }: Cell): string =>
  [call?.text, state === undefined ? undefined : `${state.text}${UNSURE[state.certainty]}`]
    .filter((text) => text !== undefined)
    .join(' ');
