/** One line of the benchmark's table. */
export interface Figure {
  readonly name: string;
  /** The measured value with its unit. */
  readonly value: string;
  /** What it is compared with, measured in the same run. */
  readonly beside?: string;
  readonly ratio?: number;
  readonly target?: { readonly text: string; readonly isMet: boolean };
}

const COLUMNS = ['', 'measured', 'beside', 'ratio', 'target', ''] as const;

export function printTable(figures: readonly Figure[]): void {
  const rows = [COLUMNS as readonly string[], ...figures.map(cells)];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  for (const row of rows) {
    const line = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    process.stdout.write(`${line.join('  ').trimEnd()}\n`);
  }
}

function cells({ name, value, beside = '', ratio, target }: Figure): readonly string[] {
  const verdict = target === undefined ? '' : target.isMet ? 'met' : 'MISSED';
  return [name, value, beside, ratio === undefined ? '' : ratio.toFixed(2), target?.text ?? '', verdict];
}
