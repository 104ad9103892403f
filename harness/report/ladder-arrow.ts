/** One arrow of a ladder as styled text. Drawn as if it went to the right; the other way round it is turned over. */
import type { Nanos } from '../clock/index.js';
import type { Trace } from '../trace/index.js';
import { fateTexts, labelsOf } from './ladder-label.js';
import type { Arrow } from './ladder-rows.js';
import { clip, fold, type Glyphs, type Span, type Style, span, widthOf } from './terminal.js';

export interface ArrowContext {
  readonly trace: Trace;
  readonly glyphs: Glyphs;
  readonly width: number;
  readonly numbered: boolean;
  readonly timeText: (atNs: Nanos) => string;
}

/** The line of an arrow, and lines below it for what had no room on it. */
export function arrowSpans(arrow: Arrow, context: ArrowContext): readonly (readonly Span[])[] {
  const lines = drawn(arrow, context);
  return arrow.event.from === 'server' ? lines.map((line) => line.toReversed()) : lines;
}

function drawn(arrow: Arrow, context: ArrowContext): readonly (readonly Span[])[] {
  switch (arrow.shape) {
    case 'through':
      return [through(arrow, context)];
    case 'arrives':
      return [arrives(arrow, context)];
    case 'injected':
      return [injected(arrow, context)];
    case 'lost':
      return stops(arrow, context, { mark: context.glyphs.lost, style: 'red', otherwise: 'lost' });
    case 'departs':
      return stops(arrow, context, {
        mark: context.glyphs.late.repeat(3),
        style: 'yellow',
        otherwise: 'under way',
      });
  }
}

const headOf = ({ event }: Arrow, { glyphs }: ArrowContext): string =>
  event.from === 'client' ? glyphs.toRight : glyphs.toLeft;

/** Repeats stand out; what a fault touched stands out more. */
function styleOf({ event }: Arrow): Style | undefined {
  if (event.faults.length > 0) return 'yellow';
  return (event.facts?.copy ?? 1) > 1 ? 'blue' : undefined;
}

/** The fullest label that leaves `width` columns unbroken. */
function labelWithin(arrow: Arrow, context: ArrowContext, width: number, also: readonly string[]): string {
  const { glyphs, numbered } = context;
  const labels = labelsOf(arrow.event, { glyphs, numbered, also });
  return labels.find((label) => label.length <= width) ?? clip(labels.at(-1) ?? '', width, glyphs.ellipsis);
}

function through(arrow: Arrow, context: ArrowContext): readonly Span[] {
  const { glyphs, width } = context;
  const faults = fateTexts(arrow.event, context.trace, '').filter((text) => text !== '');
  const label = labelWithin(arrow, context, width - 7, faults);
  return across(span(label, styleOf(arrow)), glyphs.line, headOf(arrow, context), width);
}

function arrives(arrow: Arrow, context: ArrowContext): readonly Span[] {
  const { glyphs, width } = context;
  const sent = `sent at ${context.timeText(arrow.event.atNs)}`;
  const label = labelWithin(arrow, context, width - 7, [sent]);
  return across(span(label, 'yellow'), glyphs.late, headOf(arrow, context), width);
}

/** `── label ────▶`, the label in the middle. */
function across(label: Span, line: string, head: string, width: number): readonly Span[] {
  const room = Math.max(2, width - widthOf([label]) - 3);
  const before = Math.floor(room / 2);
  return [
    span(line.repeat(before), 'dim'),
    span(' '),
    label,
    span(' '),
    span(line.repeat(room - before), 'dim'),
    span(head),
  ];
}

interface Stop {
  readonly mark: string;
  readonly style: Style;
  readonly otherwise: string;
}

/** `── label ──✗ dropped by fault 1`, and what became of it below when there is no room. */
function stops(arrow: Arrow, context: ArrowContext, stop: Stop): readonly (readonly Span[])[] {
  const { glyphs, width, trace } = context;
  const texts = fateTexts(arrow.event, trace, arrow.event.held ? 'held until the end' : stop.otherwise);
  const begun = (label: string) => [
    span(glyphs.line.repeat(2), 'dim'),
    span(' '),
    span(label, styleOf(arrow)),
    span(' '),
    span(glyphs.line.repeat(2), 'dim'),
    span(stop.mark, stop.style),
  ];
  const finish = (spans: readonly Span[]) => [
    ...spans,
    span(' '.repeat(Math.max(0, width - widthOf(spans)))),
  ];
  const labels = labelsOf(arrow.event, { glyphs, numbered: context.numbered, also: [] });
  // Rather a briefer label with its whole fate beside it than a fate without a name.
  for (const text of texts.slice(0, 2))
    for (const label of labels.slice(0, 3)) {
      const spans = [...begun(label), span(' '), span(text, stop.style)];
      if (widthOf(spans) < width) return [finish(spans)];
    }
  const line = finish(begun(labelWithin(arrow, context, width - 9, [])));
  const below = fold(texts[0] ?? '', width - 4).map((text) => finish([span('  '), span(text, stop.style)]));
  return [line, ...below];
}

/** `   injected by fault 1 ✚── label ──▶` */
function injected(arrow: Arrow, context: ArrowContext): readonly Span[] {
  const { glyphs, width, trace } = context;
  const who = fateTexts(
    arrow.event,
    trace,
    arrow.event.origin === 'user' ? 'injected by the scenario' : 'injected',
  );
  const isLost = arrow.event.deliveries.length === 0;
  const head = isLost ? span(glyphs.lost, 'red') : span(headOf(arrow, context));
  for (const text of [...who, '']) {
    const label = labelWithin(arrow, context, width - text.length - 9, []);
    const room = width - text.length - label.length - 7;
    if (room < 2 && text !== '') continue;
    const before = Math.ceil(room / 2);
    return [
      span(' '.repeat(before)),
      span(text, 'yellow'),
      span(' '),
      span(glyphs.injected, 'yellow'),
      span(glyphs.line.repeat(2), 'dim'),
      span(' '),
      span(label, 'yellow'),
      span(' '),
      span(glyphs.line.repeat(room - before), 'dim'),
      head,
    ];
  }
  return [];
}
