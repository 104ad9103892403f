/** What a terminal can show, and text with styles that knows its own width. */

export interface Terminal {
  readonly color: boolean;
  readonly columns: number;
  /** Only ASCII: the terminal's character set is not UTF-8. */
  readonly ascii?: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

/** https://no-color.org: any non-empty NO_COLOR turns colours off. Without a terminal, 120 columns and no colour. */
export function terminalOf(stream: { isTTY?: boolean; columns?: number }, env: Env = process.env): Terminal {
  const isTty = stream.isTTY === true && env.TERM !== 'dumb';
  const columns = stream.columns ?? Number.parseInt(env.COLUMNS ?? '', 10);
  return {
    color: isTty && (env.NO_COLOR ?? '') === '',
    columns: Number.isInteger(columns) && columns > 0 ? columns : 120,
    ascii: !isUtf8(env),
  };
}

/** The first of these that is set and not empty decides, as setlocale(3) has it. */
const isUtf8 = (env: Env): boolean => /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Style = keyof typeof SGR;

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

export const span = (text: string, style?: Style): Span => (style === undefined ? { text } : { text, style });

/** Every character that we print takes one column. */
export const widthOf = (spans: readonly Span[]): number =>
  spans.reduce((width, { text }) => width + [...text].length, 0);

export function paint(spans: readonly Span[], { color }: Pick<Terminal, 'color'>): string {
  const text = spans
    .map((each) =>
      color && each.style !== undefined && each.text.trim() !== ''
        ? `\u001b[${SGR[each.style]}m${each.text}\u001b[0m`
        : each.text,
    )
    .join('');
  return text.trimEnd();
}

export function padEnd(spans: readonly Span[], width: number): readonly Span[] {
  return [...spans, span(' '.repeat(Math.max(0, width - widthOf(spans))))];
}

export function padStart(spans: readonly Span[], width: number): readonly Span[] {
  return [span(' '.repeat(Math.max(0, width - widthOf(spans)))), ...spans];
}

/** At most `width` characters, the last an ellipsis when some had to go. */
export function clip(text: string, width: number, ellipsis: string): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return `${characters.slice(0, Math.max(0, width - ellipsis.length)).join('')}${ellipsis}`;
}

/** Does not break where a line is folded. */
export const NO_BREAK = '\u00a0';

/** Words folded into lines of at most `width`. */
export function fold(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/ +/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(NO_BREAK, ' '));
}

export const GLYPHS = {
  unicode: {
    bar: '│',
    fromLeft: '├',
    fromRight: '┤',
    line: '─',
    late: '╌',
    toRight: '▶',
    toLeft: '◀',
    lost: '✗',
    injected: '✚',
    silent: '┊',
    gap: '⋮',
    dot: ' · ',
    ellipsis: '…',
    pass: '✓',
    fail: '✗',
    weak: '△',
    info: 'ℹ',
    open: '?',
    section: '§',
    dash: '–',
  },
  ascii: {
    bar: '|',
    fromLeft: '|',
    fromRight: '|',
    line: '-',
    late: '.',
    toRight: '>',
    toLeft: '<',
    lost: 'X',
    injected: '+',
    silent: ':',
    gap: ':',
    dot: ', ',
    ellipsis: '~',
    pass: '+',
    fail: 'X',
    weak: '!',
    info: 'i',
    open: '?',
    section: 'section ',
    dash: '-',
  },
} as const;

export type Glyphs = (typeof GLYPHS)[keyof typeof GLYPHS];
export const glyphsOf = ({ ascii }: Pick<Terminal, 'ascii'>): Glyphs =>
  ascii === true ? GLYPHS.ascii : GLYPHS.unicode;
