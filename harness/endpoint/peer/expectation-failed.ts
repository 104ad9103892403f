/** A script's expectation that was not met: what was expected beside what came, field by field. */
import { describeSegment, type Segment } from '../../segment/index.js';
import type { ExpectedSegment } from './expected-segment.js';
import { type FieldComparison, predicateText } from './field-comparison.js';

export interface FailedExpectation {
  /** What was asked for, in one sentence. */
  readonly what: string;
  /** The fields that the script named; empty when nothing came or nothing should have come. */
  readonly fields: readonly FieldComparison[];
  /** The segment that did arrive. */
  readonly segment?: Segment | undefined;
  /** Its relative numbers, where they are known. */
  readonly relative?: { readonly relSeq: number | undefined; readonly relAck: number | undefined };
  /** What went before, oldest first, a line each. */
  readonly history: readonly string[];
}

export class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed';
  readonly fields: readonly FieldComparison[];
  readonly segment: Segment | undefined;

  constructor(failed: FailedExpectation) {
    super(message(failed));
    this.fields = failed.fields;
    this.segment = failed.segment;
  }
}

/** An expectation in words: `flags SYN,ACK, ack 1001`. */
export function expectationText(expected: ExpectedSegment): string {
  const fields = Object.entries(expected).map(([field, wanted]) => `${field} ${wantedText(wanted)}`);
  return fields.length === 0 ? 'any segment' : fields.join(', ');
}

function wantedText(wanted: unknown): string {
  if (typeof wanted === 'string' || typeof wanted === 'number') return String(wanted);
  if (wanted instanceof Uint8Array) return `of ${wanted.length} octets`;
  return JSON.stringify(wanted, (_, value: unknown) =>
    typeof value === 'function' ? predicateText(value) : value,
  );
}

function message({ what, fields, segment, relative, history }: FailedExpectation): string {
  const lines = [what];
  if (fields.length > 0) lines.push(...table(fields));
  if (segment !== undefined) lines.push(`  arrived: ${describeSegment(segment, relative)}`);
  if (history.length > 0) lines.push('  before that:', ...history.map((line) => `    ${line}`));
  return lines.join('\n');
}

function table(fields: readonly FieldComparison[]): string[] {
  const rows = [{ field: 'field', expected: 'expected', got: 'got', matches: true }, ...fields];
  const width = (cell: (row: FieldComparison) => string) => Math.max(...rows.map((row) => cell(row).length));
  const widths = { field: width((row) => row.field), expected: width((row) => row.expected) };
  return rows.map(({ field, expected, got, matches }) => {
    const mark = matches ? ' ' : '!';
    return `  ${mark} ${field.padEnd(widths.field)}  ${expected.padEnd(widths.expected)}  ${got}`;
  });
}
